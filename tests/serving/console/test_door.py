"""The page's door: loopback alone, no files by name, nothing too large, and words for refusals."""

import http.client
import json

import pytest


def request(door, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", door.server_address[1], timeout=10)
    connection.request(method, path, body, headers or {})
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply, content


def words(content: bytes) -> str:
    return json.loads(content)["error"]


def test_the_page_is_sent_with_rules_for_what_it_may_load(door):
    reply, content = request(door, "GET", "/")
    assert reply.status == 200 and b"<main>" in content
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/../console.py", "/%2e%2e/door.py", "//etc/passwd", "/x", "/?a"])
def test_no_path_leads_to_a_file(door, path):
    reply, content = request(door, "GET", path)
    assert reply.status == 404 and "nothing at this address" in words(content)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Host": "localhost:1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("method, path", [("GET", "/model"), ("POST", "/answer")])
def test_other_names_and_other_sites_get_nothing(door, client, headers, method, path):
    reply, _ = request(door, method, path, "{}", headers | {"Content-Type": "application/json"})
    assert reply.status == 403
    assert client.asked == []


def test_it_listens_on_loopback_alone(door):
    assert door.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "headers, body, status, said",
    [
        ({"Content-Type": "text/plain"}, "{}", 415, "application/json"),
        ({"Content-Length": str(1 << 40)}, None, 413, "too large"),
        ({"Content-Length": "9" * 5000}, None, 413, "too large"),
        ({"Content-Length": "-5"}, None, 411, "how long"),
        ({}, "[]", 400, "JSON object"),
        ({}, "{", 400, "JSON object"),
        ({}, "[" * 100_000, 400, "JSON object"),
        ({}, "{}", 400, "one to 3 photos"),
    ],
)
def test_what_is_no_question_is_refused_in_words(door, headers, body, status, said):
    headers = {"Content-Type": "application/json"} | headers
    reply, content = request(door, "POST", "/answer", body, headers)
    assert reply.status == status and said in words(content)


def test_an_absent_server_is_no_error_of_the_page(door, client):
    client.away = True
    reply, content = request(door, "GET", "/model")
    assert reply.status == 503 and "Start one with" in words(content)
