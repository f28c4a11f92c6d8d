"""The Argo CD application: its form, that it finds the chart, and that .ci/argocd can move it."""

import importlib.machinery
import importlib.util
from types import ModuleType

import pytest
import yaml
from conftest import CHART, ROOT, run
from jsonschema import Draft202012Validator
from test_chart import SHAPES

APPLICATION = yaml.safe_load((ROOT / "deploy/argocd/application.yaml").read_text())
SPEC = APPLICATION["spec"]


@pytest.fixture(scope="module")
def mover() -> ModuleType:
    """The script; it has no ending, so it is loaded by hand."""
    loader = importlib.machinery.SourceFileLoader("argocd", str(ROOT / ".ci/argocd"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("argocd", loader))
    loader.exec_module(module)
    return module


def test_argo_cd_takes_it() -> None:
    shape = SHAPES[f"{APPLICATION['apiVersion']}/{APPLICATION['kind']}"]
    errors = list(Draft202012Validator({**shape, "definitions": SHAPES["definitions"]}).iter_errors(SPEC))
    assert not errors, [f"{error.json_path}: {error.message}" for error in errors]
    assert APPLICATION["metadata"].keys() == {"name", "namespace"}


def test_it_follows_by_itself_and_tries_again_later() -> None:
    policy = SPEC["syncPolicy"]
    assert policy["automated"] == {"prune": True, "selfHeal": True}
    retry = policy["retry"]
    assert retry["limit"] > 0 and retry["backoff"]["factor"] > 1


def test_it_names_the_chart_and_this_version() -> None:
    source = SPEC["source"]
    assert ROOT / source["path"] == CHART and (CHART / "Chart.yaml").exists()
    for name in source["helm"]["valueFiles"]:
        assert (CHART / name).exists()
    version = run(ROOT / ".ci/versions")
    assert version.returncode == 0, version.stderr
    assert source["targetRevision"] == f"v{version.stdout.strip()}"
    repository = yaml.safe_load((CHART / "Chart.yaml").read_text())["sources"]
    assert [source["repoURL"]] == repository


def test_the_chart_takes_its_values(helm: str, tmp_path) -> None:
    helm_part = SPEC["source"]["helm"]
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(helm_part["valuesObject"]))
    done = run(helm, "template", helm_part["releaseName"], CHART, "--namespace", SPEC["destination"]["namespace"],
               *[f"--values={CHART / name}" for name in helm_part["valueFiles"]],
               f"--values={tmp_path / 'values.yaml'}")
    assert done.returncode == 0, done.stderr
    rendered = [it for it in yaml.safe_load_all(done.stdout) if it]
    # It renders anew at each look: whatever is made up would never be in sync.
    again = run(*done.args)
    assert again.stdout == done.stdout
    # And none of the secrets are written down.
    assert not [it["metadata"]["name"] for it in rendered if it["kind"] == "Secret"]


def test_the_workflow_can_move_it(mover: ModuleType) -> None:
    assert mover.automated(SPEC)
    assert mover.at_version(SPEC, "9.8.7")["source"] == SPEC["source"] | {"targetRevision": "v9.8.7"}
    assert APPLICATION["metadata"]["name"] == "luna"


def test_namespaces_take_the_pods_of_the_chart_alone() -> None:
    labels = SPEC["syncPolicy"]["managedNamespaceMetadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert "CreateNamespace=true" in SPEC["syncPolicy"]["syncOptions"]
