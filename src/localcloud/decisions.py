"""Decisions that are remembered: most requests of a function ask for the same again and again."""

from .policies import AccessRequest, Decision, Policy, evaluate

_MOST = 1024


class Decisions:
    """Evaluates as policies.evaluate does, once for each question that no condition key has a part in.

    All that such a decision can depend on is in its key, the policies' texts included, so that it holds
    for ever: a changed policy is another question.
    """

    def __init__(self):
        self._known: dict[tuple, Decision] = {}

    def decide(
        self,
        request: AccessRequest,
        identity_policies: tuple[Policy, ...],
        resource_policy: Policy | None,
        permissions_boundary: Policy | None,
        session_policies: tuple[Policy, ...],
        resource_policy_must_allow: bool,
    ) -> Decision:
        """As policies.evaluate; the request's context is a Context that nobody has asked yet."""
        policies = (identity_policies, resource_policy, permissions_boundary, session_policies)
        question = (
            request.action, request.resource, request.caller, policies, resource_policy_must_allow,
        )  # fmt: skip
        try:
            known = self._known.get(question)
        except TypeError:  # a document that is an object instead of text has no hash
            return evaluate(request, *policies, resource_policy_must_allow)
        if known is None:
            known = evaluate(request, *policies, resource_policy_must_allow)
            if not request.context.was_asked:
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[question] = known
        return known
