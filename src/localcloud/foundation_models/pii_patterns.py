"""Sensitive information that can be told by its form (facts H6: the types are GuardrailPiiEntityType's).

Bedrock finds it by a model, which also weighs what stands around it and knows names and addresses; patterns
can't. Where a form alone says too little, a word before it is asked for: `PIN: 1234`.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass


def _luhn(text: str) -> bool:
    """The check digit of card numbers and Canada's social insurance numbers (ISO/IEC 7812-1)."""
    digits = [int(digit) for digit in reversed(re.sub(r"\D", "", text))]
    doubled = [sum(divmod(d * (1 + place % 2), 10)) for place, d in enumerate(digits)]
    return len(set(digits)) > 1 and sum(doubled) % 10 == 0


def _iban(text: str) -> bool:
    """The check digits of an IBAN (ISO 13616)."""
    compact = re.sub(r"\s", "", text)
    turned = compact[4:] + compact[:4]
    return 15 <= len(compact) <= 34 and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _routing(text: str) -> bool:
    """The check digit of an ABA routing number."""
    digits = [int(digit) for digit in text]
    return any(digits) and sum(d * w for d, w in zip(digits, (3, 7, 1) * 3, strict=True)) % 10 == 0


def _nhs(text: str) -> bool:
    """The check digit of a number of the NHS (modulus 11)."""
    digits = [int(digit) for digit in re.sub(r"\D", "", text)]
    check = 11 - sum(d * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check % 11 == digits[9]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class _Form:
    pattern: str
    check: Callable[[str], bool] = bool


def _after(words: str, value: str) -> _Form:
    """A value with one of the words before it, which does not belong to it."""
    return _Form(rf"\b(?:{words})\b(?:\s+(?:is|number|no\.?|code))*\s*[:=#]?\s*({value})")


_SECRET = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)")
_IPV4, _IPV6 = r"\d{1,3}(?:\.\d{1,3}){3}", r"[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:]+"
_PHONES = (
    r"\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ .-]?\d){6,12}",
    r"\(\d{3}\) ?\d{3}[ .-]\d{4}",
    r"\d{3}[.-]\d{3}[.-]\d{4}",
)
_FORMS = {
    "AGE": _Form(r"\b(?:aged?|I am|I'm)\s+(\d{1,3})\b(?!\s*%)|\b(\d{1,3})[\s-]+years?[\s-]+old\b"),
    "AWS_ACCESS_KEY": _Form(r"\b((?:AKIA|ASIA)[A-Z0-9]{16})\b"),
    "AWS_SECRET_KEY": _Form(
        r"(?<![A-Za-z0-9/+])([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        lambda text: bool(_SECRET.match(text)),
    ),
    "CA_SOCIAL_INSURANCE_NUMBER": _Form(r"\b(\d{3}[ -]\d{3}[ -]\d{3})\b", _luhn),
    "CREDIT_DEBIT_CARD_CVV": _after("CVV2?|CVC2?|security code", r"\d{3,4}\b"),
    "CREDIT_DEBIT_CARD_EXPIRY": _after(
        "expiry|expires|expiration(?: date)?|valid thru", r"(?:0[1-9]|1[0-2])\s?/\s?(?:20)?\d{2}\b"
    ),
    "CREDIT_DEBIT_CARD_NUMBER": _Form(r"(?<![\d-])(\d(?:[ -]?\d){12,18})(?![\d-])", _luhn),
    "EMAIL": _Form(r"\b([A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})\b"),
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER": _Form(
        r"\b([A-Z]{2}\d{2}(?: ?[A-Z0-9]{1,4}){3,8})\b", _iban
    ),
    "IP_ADDRESS": _Form(rf"(?<![\w.:])({_IPV4}|{_IPV6})(?![\w:])", _is_address),
    "MAC_ADDRESS": _Form(r"\b([0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5})\b"),
    "PASSWORD": _after("password|passwd|passphrase", r"\S*[^\s.,;]"),
    "PHONE": _Form(rf"(?<![\w.-])({'|'.join(_PHONES)})(?![\w-])"),
    "PIN": _after("PIN", r"\d{4,8}\b"),
    "SWIFT_CODE": _after("SWIFT|BIC", r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\b"),
    "UK_NATIONAL_HEALTH_SERVICE_NUMBER": _Form(r"\b(\d{3} \d{3} \d{4})\b", _nhs),
    "UK_NATIONAL_INSURANCE_NUMBER": _Form(
        r"\b([A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D])\b"
    ),
    "URL": _Form(r"\b((?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)])"),
    "USERNAME": _after("username|user name|login", r"[A-Za-z][\w.-]*\w"),
    "US_BANK_ROUTING_NUMBER": _Form(r"\b(\d{9})\b", _routing),
    "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER": _Form(
        r"\b(9\d\d-(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])-\d{4})\b"
    ),
    "US_PASSPORT_NUMBER": _after("passport", r"[A-Z]?\d{8,9}\b"),
    "US_SOCIAL_SECURITY_NUMBER": _Form(r"\b((?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4})\b"),
    "VEHICLE_IDENTIFICATION_NUMBER": _after("VIN", r"[A-HJ-NPR-Z0-9]{17}\b"),
}
_COMPILED = {
    kind: re.compile(form.pattern, re.IGNORECASE if form.pattern.startswith(r"\b(?:") else 0)
    for kind, form in _FORMS.items()
}
KNOWN = frozenset(_FORMS)


def find(kind: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a text holds such information, as (start, end). Raises KeyError for a type not in KNOWN."""
    for found in _COMPILED[kind].finditer(text):
        group = found.lastindex or 0
        if _FORMS[kind].check(found[group]):
            yield found.span(group)
