"""What .ci/argocd asks of a server that behaves as Argo CD's, and when it stops waiting."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

import pytest

SCRIPT = "argocd"


class ArgoCD:
    """One application, whose cluster follows after `lag` looks at it."""

    def __init__(self, spec: dict, lag: int = 2, health: str = "Healthy") -> None:
        self.spec, self.lag, self.health = spec, lag, health
        self.patched = self.synced = False
        self.looks = 0
        self.compared = {key: spec[key] for key in ("source", "sources") if key in spec}
        self.asked: list[tuple[str, str, str]] = []

    def answer(self, method: str, path: str, body: bytes, authorization: str) -> tuple[int, dict]:
        self.asked.append((method, path, authorization))
        place = urlsplit(path).path
        if place == "/identity":
            return 200, {"value": "the workflow's"}
        if place == "/api/dex/token":
            form = parse_qs(body.decode())
            assert form["subject_token"] == ["the workflow's"]
            assert form["connector_id"] == ["github-actions"]
            return 200, {"access_token": "Dex's"}
        if authorization not in ("Bearer Dex's", "Bearer given"):
            return 401, {"error": "no"}
        if place == "/api/v1/applications/luna/sync":
            self.synced = True
        elif place != "/api/v1/applications/luna":
            return 403, {"error": "permission denied"}
        elif method == "PATCH":
            order = json.loads(body)
            assert (order["name"], order["patchType"]) == ("luna", "merge")
            self.spec |= json.loads(order["patch"])["spec"]
            self.patched = True
        elif self.patched and (self.synced or "automated" in self.spec.get("syncPolicy", {})):
            self.looks += 1
            if self.looks == 1:
                return 502, {"error": "on its way"}
            if self.looks > self.lag:
                self.compared = {key: self.spec[key] for key in self.compared}
        status = {
            "sync": {"status": "Synced", "comparedTo": self.compared},
            "health": {"status": self.health},
            "operationState": {"phase": "Succeeded"},
        }
        return 200, {"spec": self.spec, "status": status}


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator:
    servers = []

    def start(argocd: ArgoCD) -> ArgoCD:
        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, answer = argocd.answer(
                    self.command, self.path, body, self.headers.get("Authorization", "")
                )
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            do_GET = do_POST = do_PATCH = handle_any

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("ARGOCD_SERVER", url)
        monkeypatch.setenv("ARGOCD_TIMEOUT", "2")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{url}/identity?api-version=2.0")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "the runner's")
        monkeypatch.delenv("ARGOCD_TOKEN", raising=False)
        monkeypatch.delenv("ARGOCD_APPLICATION", raising=False)
        return argocd

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


GIT = {"repoURL": "git", "path": "deploy/helm/luna", "targetRevision": "v0.1.0"}
CHART = {"repoURL": "oci", "chart": "luna", "targetRevision": "0.1.0"}


def test_an_automated_application_is_moved_and_awaited(
    script: ModuleType, serve, capsys: pytest.CaptureFixture[str]
) -> None:
    argocd = serve(ArgoCD({"source": dict(GIT), "syncPolicy": {"automated": {"prune": True}}}))
    script.main(["0.2.0"])
    assert argocd.spec["source"] == GIT | {"targetRevision": "v0.2.0"}
    assert not argocd.synced
    assert argocd.looks > argocd.lag
    said = capsys.readouterr().out
    assert "luna: v0.2.0 · Synced · Healthy · Succeeded" in said
    # The way in: the runner's word, the workflow's identity, Dex's token, which nobody gets to see.
    assert [authorization.split()[0] for *_, authorization in argocd.asked[:3]] == ["Bearer", "Basic", "Bearer"]
    assert argocd.asked[0][2] == "Bearer the runner's"
    assert "Dex's" not in said


def test_an_application_that_waits_for_orders_gets_one(script: ModuleType, serve) -> None:
    for policy in ({}, {"automated": {"enabled": False}}):
        argocd = serve(ArgoCD({"source": dict(GIT), "syncPolicy": policy}))
        script.main(["0.2.0"])
        assert argocd.synced


def test_a_chart_goes_by_number_and_its_values_by_tag(
    script: ModuleType, serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    argocd = serve(ArgoCD({"sources": [dict(CHART), dict(GIT)]}))
    monkeypatch.setenv("ARGOCD_TOKEN", "given")
    script.main(["0.2.0-rc.1"])
    revisions = [source["targetRevision"] for source in argocd.spec["sources"]]
    assert revisions == ["0.2.0-rc.1", "v0.2.0-rc.1"]
    assert all(authorization == "Bearer given" for *_, authorization in argocd.asked)


@pytest.mark.parametrize(("lag", "health"), [(10**6, "Healthy"), (0, "Degraded")])
def test_waiting_ends(
    script: ModuleType, serve, monkeypatch: pytest.MonkeyPatch, lag: int, health: str
) -> None:
    serve(ArgoCD({"source": dict(GIT)}, lag=lag, health=health))
    monkeypatch.setenv("ARGOCD_TIMEOUT", "0.5")
    with pytest.raises(script.Refused, match="not at 0.2.0 after"):
        script.main(["0.2.0"])


def test_no_is_told_with_the_servers_words(
    script: ModuleType, serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(ArgoCD({"source": dict(GIT)}))
    monkeypatch.setenv("ARGOCD_APPLICATION", "other/one")
    with pytest.raises(script.Refused, match="applications/other%2Fone: 403 .*permission denied"):
        script.main(["0.2.0"])
    monkeypatch.setenv("ARGOCD_TOKEN", "wrong")
    with pytest.raises(script.Refused, match="401") as refused:
        script.main(["0.2.0"])
    assert "wrong" not in str(refused.value)


def test_without_an_identity_it_asks_nobody(
    script: ModuleType, serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    argocd = serve(ArgoCD({"source": dict(GIT)}))
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_URL")
    with pytest.raises(script.Refused, match="id-token: write"):
        script.main(["0.2.0"])
    assert not argocd.asked


@pytest.mark.parametrize("server", ["", "argocd.example.org", "http://argocd.example.org", "https://a.example/path"])
def test_an_odd_address_is_refused(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    monkeypatch.setenv("ARGOCD_SERVER", server)
    with pytest.raises(script.Refused, match="ARGOCD_SERVER"):
        script.main(["0.2.0"])


@pytest.mark.parametrize("arguments", [[], ["v0.1.0"], ["main"], ["0.1"], ["0.1.0", "0.2.0"], ["0.1.0 x"]])
def test_a_version_is_wanted(script: ModuleType, arguments: list[str]) -> None:
    with pytest.raises(script.Refused, match="usage"):
        script.main(arguments)
