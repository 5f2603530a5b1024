"""OpenAPI: complete, with examples that work, and kept to whatever is sent."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from gallae.serving.settings import Limits


def test_every_operation_has_a_description_and_its_example_works(client):
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) >= {
        *("/v1/classify", "/v1/embed", "/v1/explain", "/v1/models"),
        *("/healthz", "/readyz", "/metrics"),
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], path
            assert "200" in operation["responses"]
            if method == "post":
                body = operation["requestBody"]["content"]["application/json"]
                most = Limits().explained if path == "/v1/explain" else Limits().texts
                assert body["schema"]["properties"]["texts"]["maxItems"] == most
                status = client.post(path, json=body["example"]).status_code
                assert status == 200 or path == "/v1/embed"  # none of the models makes vectors


OPERATIONS = [
    *(("POST", path) for path in ("/v1/classify", "/v1/embed", "/v1/explain")),
    *(("GET", path) for path in ("/v1/models", "/healthz", "/readyz", "/metrics")),
]


CASES = [(GenerationMode.POSITIVE, *one) for one in OPERATIONS]
CASES += [(GenerationMode.NEGATIVE, *one) for one in OPERATIONS if one[0] == "POST"]


@pytest.mark.parametrize(("mode", "method", "path"), CASES)
def test_whatever_follows_the_schema_or_not_is_answered_as_it_says(client, mode, method, path):
    operation = schemathesis.openapi.from_asgi("/openapi.json", client.app)[path][method]

    # Labels and methods that a model does not have are told by 422, and no schema knows them.
    excluded = [positive_data_acceptance] if path == "/v1/explain" else []

    @settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        case.call_and_validate(session=client, excluded_checks=excluded)

    ask()
