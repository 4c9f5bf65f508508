"""/docs and the OpenAPI description behind it.

Every file comes from this server: no third party is asked for a script. Every address in them is
relative, so that a proxy may show the service below a path of its own.
"""

from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

from service.openapi import describe
from service.runtime import Runtime

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hepatica</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
<style>
/* There is one server, and nothing empty needs to be asked for. */
#ui .scheme-container, #ui .operation-servers, #ui .parameter__empty_value_toggle,
#ui .response-col_links {display: none}
#ui .live-responses-table img {width: 256px; image-rendering: pixelated}
#ui .renderedMarkdown pre {background: #333; padding: 10px; border-radius: 4px}
#ui .renderedMarkdown pre code {background: none; color: #fff; font-weight: 400}
</style>
</head>
<body>
<div id="ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/page.js"></script>
</body>
</html>
"""
# Swagger UI draws its icons as data: images and styles its parts inline; a picture that was
# answered it shows as a blob:.
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
)

_SCRIPT = Path(__file__).with_name("page.js")
#: Swagger UI, as BentoML brings it along.
_SWAGGER_UI = Path(str(files("bentoml"))) / "_internal" / "server" / "static_content"


async def _root(_: Request) -> Response:
    return RedirectResponse("docs")


async def _page(_: Request) -> Response:
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


async def _script(_: Request) -> Response:
    return FileResponse(_SCRIPT)


async def _openapi(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    return JSONResponse(describe(runtime.settings, runtime.model.manifest.class_names))


async def _moved(_: Request) -> Response:
    return RedirectResponse("../openapi.json")  # its addresses are relative to where it stands


async def _swagger_ui(request: Request) -> Response:
    return FileResponse(_SWAGGER_UI / request.url.path.rpartition("/")[2])


ROUTES = [
    Route("/", _root),
    Route("/openapi.json", _openapi),
    Route("/docs", _page),
    Route("/docs/openapi.json", _moved),
    Route("/docs/page.js", _script),
    Route("/docs/swagger-ui.css", _swagger_ui),
    Route("/docs/swagger-ui-bundle.js", _swagger_ui),
]
