"""/docs and the OpenAPI description behind it.

Every file comes from this server: no third party is asked for a script.
"""

from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from service.openapi import describe

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Hepatica</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = 'SwaggerUIBundle({url: "/docs/openapi.json", dom_id: "#ui", validatorUrl: null});\n'

# Swagger UI draws its icons as data: images and styles its parts inline.
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
)

#: Swagger UI, as BentoML brings it along.
_SWAGGER_UI = Path(str(files("bentoml"))) / "_internal" / "server" / "static_content"


async def _page(_: Request) -> Response:
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


async def _start(_: Request) -> Response:
    return Response(_START, media_type="text/javascript")


async def _openapi(request: Request) -> Response:
    return JSONResponse(describe(request.app.state.runtime.settings))


async def _swagger_ui(request: Request) -> Response:
    return FileResponse(_SWAGGER_UI / request.url.path.rpartition("/")[2])


ROUTES = [
    Route("/docs", _page),
    Route("/docs/openapi.json", _openapi),
    Route("/docs/start.js", _start),
    Route("/docs/swagger-ui.css", _swagger_ui),
    Route("/docs/swagger-ui-bundle.js", _swagger_ui),
]
