"""Stage 06: the API, called over HTTP as programs and browsers call it."""

import json
import random
import secrets
from urllib.parse import parse_qs, urlsplit

import pytest

from labkit.grading import expect

from .images import Images
from .thumbnail_api import FILES, ORIGIN, ThumbnailApi, path_of
from .web_calls import send

URL_S = 300  # how long a URL for one upload lives, at most
SECRET = b"for nobody's eyes"


@pytest.fixture(scope="module")
def token():
    """What the authorizer is to let in."""
    return secrets.token_urlsafe(18)


@pytest.fixture(scope="module")
def api(deployment, workspace, token):
    """The learner's API, in front of two buckets. Some things lie beside the thumbnails."""
    made = ThumbnailApi(deployment, {name: workspace.text(name) for name in FILES}, token)
    for key in (
        "private/plan.txt",
        "thumbnails.txt",
        "thumbnails-old/beach.jpg",
        "raw/beach.jpg",
        "users.txt",
    ):
        made.put_object(key, SECRET)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def album(api, images_of_the_album):
    """The thumbnails that are there: name -> picture."""
    for name, (picture, content_type) in images_of_the_album.items():
        api.put_thumbnail(name, picture, content_type)
    return {name: picture for name, (picture, _) in images_of_the_album.items()}


@pytest.fixture(scope="module")
def images_of_the_album(seed):
    """Name -> (picture, content type): names as people give them."""
    rng = random.Random(f"{seed} album")
    images, number = Images(rng), rng.randrange(100, 1000)
    jpegs = (
        f"beach {number}.jpg",
        f"Crème brûlée {number}.jpg",
        f"1+1={number}.jpg",
        f"写真-{number}.jpg",
    )
    return {
        **{name: (images.jpeg((120, 80)), "image/jpeg") for name in jpegs},
        f"logo-{number}.png": (images.png((90, 90)), "image/png"),
    }


FIRST = ("check_lists",)


@pytest.fixture(scope="module")
def empty_list(api):
    """The answer to GET /thumbnails before there are any."""
    return api.ready()


@pytest.mark.check(points=2, section="8 · What comes in: query strings, names, bodies")
def check_lists(api, empty_list, album):
    """GET /thumbnails answers the names of the thumbnails, and of nothing else."""
    tried = "sent GET /thumbnails before there were any"
    api.expect(empty_list, empty_list.status == 200, tried=tried, expected="status 200")
    nothing = names_in(api, empty_list, tried)
    expect(not nothing, tried=tried, expected='"thumbnails": []', seen=", ".join(nothing))
    reply = api.call("GET", "/thumbnails")
    tried = "put five thumbnails into the bucket, and other things beside them, and sent GET /thumbnails"
    api.expect(reply, reply.status == 200, tried=tried, expected="status 200")
    names = names_in(api, reply, tried)
    missing, more = [n for n in album if n not in names], [n for n in names if n not in album]
    seen = f"missing: {', '.join(missing)}" if missing else f"too many: {', '.join(map(str, more))}"
    expect(
        sorted(names) == sorted(album),
        tried=tried,
        expected=f"the names {', '.join(sorted(album))}",
        seen=seen,
    )
    for each in reply.json()["thumbnails"]:
        name, size = each["name"], each.get("size")
        expect(
            size == len(album[name]),
            tried=tried,
            expected=f'"size": {len(album[name])} for {name}: its bytes, as S3 lists them',
            seen=f"{size}" if "size" in each else "no size",
        )


def names_in(api, reply, tried):
    """The names in an answer of the list. Raises Unmet where it has not the contract's form."""
    body = reply.json()
    listed = body.get("thumbnails") if isinstance(body, dict) else None
    is_right = isinstance(listed, list) and all(
        isinstance(each, dict) and isinstance(each.get("name"), str) for each in listed
    )
    api.expect(
        reply,
        is_right and reply.content_type == "application/json",
        tried=tried,
        expected='{"thumbnails": [{"name": …, "size": …}, …]} with the content type application/json',
    )
    return [each["name"] for each in listed]


@pytest.mark.check(points=1, section="8 · What comes in: query strings, names, bodies", needs=FIRST)
def check_pages(api, album):
    """A long list comes in pages of `limit`, each thumbnail once, and the last page has no next."""
    more = {f"page-{number:03}.jpg" for number in range(117)}
    for name in more:
        api.put_thumbnail(name, b"small")
    wanted, seen, query = more | set(album), [], {"limit": 25}
    tried = f"put {len(wanted)} thumbnails into the bucket and asked for pages of 25, with the `next` of each"
    for _ in range(len(wanted)):
        reply = api.call("GET", path_of("", **query))
        api.expect(reply, reply.status == 200, tried=tried, expected="status 200")
        page = names_in(api, reply, tried)
        expect(len(page) <= 25, tried=tried, expected="25 thumbnails at most", seen=f"{len(page)}")
        seen += page
        following = reply.json().get("next")
        if following is None:
            break
        query["next"] = following
    twice = sorted({name for name in seen if seen.count(name) > 1})
    lost = sorted(wanted - set(seen))
    words = (
        f"{twice[0]} came twice"
        if twice
        else f"{lost[0]} never came"
        if lost
        else f"{len(seen)} thumbnails"
    )
    expect(
        not twice and set(seen) == wanted,
        tried=tried,
        expected="each thumbnail once, and then a page without next",
        seen=f"{words}, in {len(seen)} altogether",
    )
    unasked = api.call("GET", "/thumbnails")
    count = len(names_in(api, unasked, "sent GET /thumbnails without a limit"))
    expect(
        count == 100,
        tried="sent GET /thumbnails without a limit",
        expected="100 thumbnails",
        seen=f"{count}",
    )


@pytest.mark.check(points=1, section="8 · What comes in: query strings, names, bodies", needs=FIRST)
def check_limit(api):
    """A limit that makes no sense is refused with 400 and a message."""
    for limit in ("0", "-1", "1001", "many", "2.5", ""):
        is_refused(api, 400, "GET", path_of("", limit=limit))
    for limit in ("1", "1000"):
        path = path_of("", limit=limit)
        reply = api.call("GET", path)
        api.expect(reply, reply.status == 200, tried=f"sent GET {path}", expected="status 200")


def is_refused(api, status, method, path, body=None, *, words="", **headers):
    """Hold that a request gets this status, and a message in JSON."""
    reply = api.call(method, path, body, **headers)
    tried = f"sent {method} {path}" + (f" with {words}" if words else "")
    api.expect(reply, reply.status == status, tried=tried, expected=f"status {status}")
    found = reply.json()
    message = found.get("message") if isinstance(found, dict) else None
    is_said = isinstance(message, str) and message.strip() not in ("", "None")
    api.expect(
        reply, is_said and reply.content_type == "application/json", tried=tried,
        expected=f'status {status} and {{"message": …}} in JSON, with the content type application/json',
    )  # fmt: skip


@pytest.mark.check(points=2, section="7 · A picture in JSON", needs=FIRST)
def check_picture(api, album, images_of_the_album):
    """GET /thumbnails/{name} answers the picture as it is, with its content type, or redirects to it."""
    for name in sorted(album)[-1:] + [n for n in album if n.startswith("logo")]:
        shows(api, name, *images_of_the_album[name])


def shows(api, name, picture, content_type):
    """Hold that a thumbnail comes as it is."""
    path = path_of(name)
    tried = f"put the thumbnail {name} into the bucket and sent GET {path}"
    reply = api.call("GET", path)
    if reply.status in (302, 303, 307):
        target = reply.headers.get("location", "")
        tried += ", and followed the redirect"
        expect(
            target.startswith(("http://", "https://")), tried=tried,
            expected="a Location with a whole URL", seen=target or "no Location",
        )  # fmt: skip
        reply = send("GET", target)
    api.expect(reply, reply.status == 200, tried=tried, expected="status 200, or a redirect")
    expected = f"{len(picture)} bytes of {content_type}"
    api.expect(reply, reply.content_type == content_type, tried=tried, expected=expected)
    api.expect(
        reply,
        reply.body == picture,
        tried=tried,
        expected=f"{expected}, as they are in the bucket",
        seen=f"{len(reply.body)} bytes, beginning with {reply.body[:12]!r} and not {picture[:12]!r}",
    )


@pytest.mark.check(
    points=1, section="8 · What comes in: query strings, names, bodies", needs=("check_picture",)
)
def check_names(api, album, images_of_the_album):
    """Names with blanks, accents, plus signs and other scripts are understood."""
    for name in album:
        shows(api, name, *images_of_the_album[name])


@pytest.mark.check(
    points=1, section="6 · What it answers, and what is malformed", needs=("check_picture",)
)
def check_no_such_thumbnail(api, rng):
    """A thumbnail that is not there is 404, with a message."""
    is_refused(api, 404, "GET", path_of(f"nobody {rng.randrange(10**6)}.jpg"))


@pytest.mark.check(
    points=1, section="8 · What comes in: query strings, names, bodies", needs=("check_picture",)
)
def check_nothing_else_is_shown(api):
    """Whatever name is asked for, nothing outside thumbnails/ is shown."""
    for name in (
        "../private/plan.txt", "../raw/beach.jpg", "x/../../private/plan.txt", "/private/plan.txt",
        "private/plan.txt", "../thumbnails-old/beach.jpg", "..\\private\\plan.txt",
    ):  # fmt: skip
        path = path_of(name)
        reply = api.call("GET", path)
        if reply.status in (302, 303, 307):
            reply = send("GET", reply.headers.get("location", api.address))
        api.expect(
            reply, SECRET not in reply.body and 400 <= reply.status < 500,
            tried=f"sent GET {path}, which means {name}", expected="status 400 or 404",
            seen="what lies outside thumbnails/" if SECRET in reply.body else "",
        )  # fmt: skip


def upload_request(rng, **changes):
    """The body of a right POST /uploads, with changes; None takes a field away."""
    body = {
        "name": f"beach {rng.randrange(10**6)}.jpg",
        "content_type": "image/jpeg",
        "size": 12_345,
    }
    return {key: value for key, value in (body | changes).items() if value is not None}


def place_for(api, body, tried):
    """The URL and key that POST /uploads gives. Raises Unmet where it gives none."""
    reply = api.call("POST", "/uploads", body)
    found = reply.json()
    is_right = isinstance(found, dict) and all(
        isinstance(found.get(k), str) for k in ("url", "key")
    )
    api.expect(
        reply,
        reply.status == 201 and is_right,
        tried=tried,
        expected='status 201 and {"url": …, "key": …}',
    )
    return found["url"], found["key"]


@pytest.mark.check(points=2, section="9 · Uploads that pass the function by", needs=FIRST)
def check_upload(api, rng, images):
    """POST /uploads answers a URL, and a PUT to it uploads a photograph to raw/."""
    for name, photo, content_type in (
        (f"Été à la mer {rng.randrange(10**6)}.jpg", images.jpeg((320, 200)), "image/jpeg"),
        (f"1+1 = {rng.randrange(10**6)}.png", images.png((80, 80)), "image/png"),
    ):
        body = upload_request(rng, name=name, content_type=content_type, size=len(photo))
        tried = f"sent POST /uploads for {name}, {len(photo)} bytes of {content_type}"
        url, key = place_for(api, body, tried)
        expect(key == f"raw/{name}", tried=tried, expected=f"the key raw/{name}", seen=key)
        tried += ", and the photograph to the URL"
        reply = send("PUT", url, photo, {"Content-Type": content_type})
        expect(reply.status == 200, tried=tried, expected="status 200 from S3", seen=reply.words)
        there = api.uploaded()
        expect(
            there.get(key) == photo, tried=tried, expected=f"{key} in the uploads' bucket",
            seen=f"there is {', '.join(there) or 'nothing'}",
        )  # fmt: skip


@pytest.mark.check(
    points=1, section="9 · Uploads that pass the function by", needs=("check_upload",)
)
def check_upload_is_bound(api, rng, images):
    """The URL takes nothing but what was announced, and not for long."""
    photo = images.jpeg((320, 200))
    body = upload_request(rng, size=len(photo))
    url, key = place_for(api, body, "sent POST /uploads")
    for what, content, content_type in (
        ("as text/html", photo, "text/html"),
        ("ten times as large", photo * 10, "image/jpeg"),
    ):
        reply = send("PUT", url, content, {"Content-Type": content_type})
        expect(
            reply.status in (400, 403) and key not in api.uploaded(),
            tried=f"announced {len(photo)} bytes of image/jpeg, and sent the URL a file {what}",
            expected="status 403 from S3: type and length are in the signature",
            seen=reply.words,
        )
    query = parse_qs(urlsplit(url).query)
    life = int((query.get("X-Amz-Expires") or ["604800"])[0])
    expect(
        life <= URL_S,
        tried="read X-Amz-Expires in the URL",
        expected=f"at most {URL_S} seconds",
        seen=f"{life} seconds",
    )


@pytest.mark.check(
    points=1, section="8 · What comes in: query strings, names, bodies", needs=("check_upload",)
)
def check_bad_requests(api, rng):
    """POST /uploads refuses with 400 what is no JSON object, and what lacks a name, a type or a size."""
    for words, body in (
        ("a body that is no JSON", b"{name: beach.jpg}"), ("no body", b""), ("the body []", b"[]"),
        ("the body 7", b"7"), ("bytes that are no text", b"\xff\xfe{}"),
    ):  # fmt: skip
        is_refused(api, 400, "POST", "/uploads", body, words=words, content_type="application/json")
    for changes in (
        {"name": None}, {"name": 7}, {"name": ""}, {"name": "a/b.jpg"}, {"name": "../beach.jpg"},
        {"name": ".."}, {"name": "."}, {"name": "x" * 201}, {"size": None}, {"size": "12"},
        {"size": 0}, {"size": -5}, {"size": 1.5}, {"size": True}, {"content_type": None},
        {"content_type": ["image/jpeg"]},
    ):  # fmt: skip
        body = upload_request(rng, **changes)
        shown = {
            key: value if value != "x" * 201 else "x, 201 times" for key, value in body.items()
        }
        is_refused(api, 400, "POST", "/uploads", body, words=f"{shown}")
    for words, name in (("a name of one character", "x"), ("a name of 200", "x" * 200)):
        place_for(api, upload_request(rng, name=name), f"sent POST /uploads with {words}")


@pytest.mark.check(
    points=1, section="9 · Uploads that pass the function by", needs=("check_upload",)
)
def check_refused_uploads(api, rng):
    """POST /uploads refuses other content types with 415, and more than 10 MB with 413."""
    for content_type in ("text/html", "image/svg+xml", "application/pdf", ""):
        body = upload_request(rng, content_type=content_type)
        is_refused(api, 415, "POST", "/uploads", body, words=f"{body}")
    for size in (10 * 1024 * 1024 + 1, 10**12):
        body = upload_request(rng, size=size)
        is_refused(api, 413, "POST", "/uploads", body, words=f"{body}")
    for size, words in ((10 * 1024 * 1024, "exactly 10 MB"), (1, "one byte")):
        place_for(api, upload_request(rng, size=size), f"sent POST /uploads for {words}")
    for content_type in ("image/png", "image/gif", "image/webp"):
        body = upload_request(rng, content_type=content_type)
        place_for(api, body, f"sent POST /uploads for {content_type}")


@pytest.mark.check(
    points=1, section="8 · What comes in: query strings, names, bodies", needs=("check_upload",)
)
def check_any_client(api, rng):
    """POST /uploads understands JSON from clients that send it with another content type."""
    for content_type in ("application/x-www-form-urlencoded", "application/octet-stream"):
        body = json.dumps(upload_request(rng, name="Käse.jpg"), ensure_ascii=False).encode()
        tried = f"sent POST /uploads with JSON and the header Content-Type: {content_type}, as curl -d does"
        reply = api.call("POST", "/uploads", body, content_type=content_type)
        api.expect(reply, reply.status == 201, tried=tried, expected="status 201")


@pytest.mark.check(points=1, section="10 · Who may? A Lambda authorizer", needs=FIRST)
def check_delete(api, rng, token):
    """DELETE with the right token answers 204, the thumbnail is gone, and others stay."""
    names = [f"old {word} {rng.randrange(10**6)}.jpg" for word in ("one", "two", "three")]
    for name in names:
        api.put_thumbnail(name, b"small")
    for name, given in zip(names[:2], (f"Bearer {token}", f"bearer {token}"), strict=True):
        path = path_of(name)
        tried = f"sent DELETE {path} with Authorization: {given[:7]}TOKEN"
        reply = api.call("DELETE", path, token=given)
        api.expect(
            reply,
            reply.status == 204 and not reply.body,
            tried=tried,
            expected="status 204 without a body",
        )
        expect(
            not api.has_thumbnail(name),
            tried=tried,
            expected="no such thumbnail in the bucket",
            seen="it is still there",
        )
    expect(
        api.has_thumbnail(names[2]),
        tried="deleted two thumbnails",
        expected="the third to be there",
        seen="it is gone",
    )
    reply = api.call("DELETE", path_of(names[0]), token=f"Bearer {token}")
    api.expect(
        reply, reply.status == 204, tried="deleted the same thumbnail once more",
        expected="status 204: done twice is done once",
    )  # fmt: skip


@pytest.mark.check(points=1, section="10 · Who may? A Lambda authorizer", needs=("check_delete",))
def check_token(api, rng, token):
    """DELETE without the token is 401, with a wrong one 403, and the thumbnail stays; GET needs none."""
    name = f"dear {rng.randrange(10**6)}.jpg"
    path = path_of(name)
    api.put_thumbnail(name, b"dear to somebody")
    attempts = {
        "no token": ("", 401), "another token": ("Bearer of-mine-own", 403),
        "the token without its last letter": (f"Bearer {token[:-1]}", 403),
        "the token with a letter more": (f"Bearer {token}x", 403),
        "the token in small letters": (f"Bearer {token.lower()}-", 403),
        "the token without the word Bearer": (token, 403),
        "the token behind the word Basic": (f"Basic {token}", 403),
        "the word Bearer alone": ("Bearer", 403),
    }  # fmt: skip
    for words, (given, status) in attempts.items():
        reply = api.call("DELETE", path, token=given)
        is_there = api.has_thumbnail(name)
        api.expect(
            reply,
            reply.status == status and is_there,
            tried=f"sent DELETE {path} with {words}",
            expected=f"status {status}, and the thumbnail to stay",
            seen="" if is_there else f"{reply.words}; it is gone",
        )
    reply = api.call("GET", "/thumbnails")
    api.expect(
        reply,
        reply.status == 200,
        tried="sent GET /thumbnails without a token",
        expected="status 200",
    )


@pytest.mark.check(points=1, section="15 · A page from elsewhere: CORS", needs=FIRST)
def check_preflight(api):
    """A browser that asks first, for a page of the right origin, hears that it may."""
    for method, path, header in (
        ("POST", "/uploads", "content-type"), ("DELETE", path_of("a.jpg"), "authorization"),
    ):  # fmt: skip
        tried = (
            f"sent OPTIONS {path} from {ORIGIN}, as a browser does before {method} with {header}"
        )
        reply = api.call(
            "OPTIONS", path, origin=ORIGIN, Access_Control_Request_Method=method,
            Access_Control_Request_Headers=header,
        )  # fmt: skip
        api.expect(reply, reply.status in (200, 204), tried=tried, expected="status 204 or 200")
        methods, headers = (listed(reply, name) for name in ("methods", "headers"))
        origin = reply.headers.get("access-control-allow-origin", "no access-control-allow-origin")
        expect(
            origin == ORIGIN,
            tried=tried,
            expected=f"access-control-allow-origin: {ORIGIN}",
            seen=origin,
        )
        expect(
            {method.lower(), "*"} & methods,
            tried=tried,
            expected=f"access-control-allow-methods with {method}",
            seen=", ".join(sorted(methods)).upper() or "none",
        )
        # The star never stands for authorization (Fetch standard, "CORS non-wildcard request-header name").
        expect(
            header in headers or ("*" in headers and header != "authorization"),
            tried=tried,
            expected=f"access-control-allow-headers with {header}",
            seen=", ".join(sorted(headers)) or "none",
        )


def listed(reply, name):
    """The items of access-control-allow-…, in small letters."""
    text = reply.headers.get(f"access-control-allow-{name}", "")
    return {item.strip().lower() for item in text.split(",") if item.strip()}


@pytest.mark.check(points=1, section="15 · A page from elsewhere: CORS", needs=("check_preflight",))
def check_cors_answers(api, rng, album):
    """The answers themselves are for that origin too, errors as well, and for no other."""
    requests = {
        "GET /thumbnails": ("GET", "/thumbnails", None),
        "POST /uploads": ("POST", "/uploads", upload_request(rng)),
        "GET of a thumbnail that is not there": ("GET", path_of("nobody.jpg"), None),
    }
    for words, (method, path, body) in requests.items():
        for origin, wanted in ((ORIGIN, ORIGIN), ("https://else.example", None)):
            reply = api.call(method, path, body, origin=origin)
            found = reply.headers.get("access-control-allow-origin")
            expect(
                found == wanted,
                tried=f"sent {words} from {origin}",
                expected=f"access-control-allow-origin: {wanted}"
                if wanted
                else "no access-control-allow-origin",
                seen=f"access-control-allow-origin: {found}" if found else "none",
            )


@pytest.mark.check(
    points=1,
    section="3 · HTTP API: a route, an integration, a permission",
    needs=("check_picture", "check_upload"),
)
def check_other_methods(api, album, token):
    """What is no route of this API is refused with 404 or 405, and changes nothing."""
    name = min(album)
    for method, path in (
        ("PUT", path_of(name)),
        ("POST", path_of(name)),
        ("PATCH", path_of(name)),
        ("GET", "/uploads"),
        ("DELETE", "/uploads"),
        ("DELETE", "/thumbnails"),
        ("POST", "/thumbnails"),
        ("GET", "/elsewhere"),
        ("GET", "/"),
    ):
        body = b"{}" if method in ("PUT", "POST", "PATCH") else None
        reply = api.call(
            method, path, body, token=f"Bearer {token}", content_type="application/json"
        )
        api.expect(
            reply,
            reply.status in (404, 405),
            tried=f"sent {method} {path}",
            expected="status 404 or 405",
        )
    expect(
        api.has_thumbnail(name), tried="sent requests that are no routes of this API",
        expected=f"the thumbnail {name} to be there", seen="it is gone",
    )  # fmt: skip
