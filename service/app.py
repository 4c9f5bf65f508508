"""All routes as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service import docs, metrics, negotiate, probes
from service.answers import Alive, Models, ModelSummary, Ready
from service.classify import classify, model_name
from service.limits import Limits
from service.origins import BrowserHeaders, Origins
from service.problems import MethodNotAllowedError, NotFoundError
from service.runtime import Runtime
from service.settings import Settings
from service.synthesize import synthesize
from service.watch import Watch


def create(settings: Settings) -> Starlette:
    """Return the application. Its lifespan loads the bundle and ends the threads."""
    runtime = Runtime(settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        stop_answering = _answer_probes(settings, runtime)
        if not runtime.failed:
            runtime.start()
        try:
            yield
        finally:
            await runtime.close()
            stop_answering()

    routes = [
        Route("/classify", classify, methods=["POST"]),
        Route("/synthesize", synthesize),
        Route("/models", _models),
        Route("/livez", _livez),
        Route("/readyz", _readyz),
        Route("/metrics", _metrics),
        *docs.ROUTES,
    ]
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(BrowserHeaders, settings=settings),
            Middleware(
                Watch,
                settings=settings,
                metrics=runtime.metrics,
                routes={route.path for route in routes},
            ),
            Middleware(Limits, settings=settings, metrics=runtime.metrics),
            Middleware(Origins, settings=settings),
        ],
        exception_handlers={HTTPException: _refuse},
        lifespan=lifespan,
    )
    app.state.runtime = runtime
    app.router.redirect_slashes = False  # /classify/ is no route, and a body is not sent twice
    return app


def _answer_probes(settings: Settings, runtime: Runtime) -> probes.Stop:
    """Answer probes on the port that the settings name for them, if any."""
    host, port = settings.probe_host, settings.probe_port
    if port is not None:
        try:
            return probes.serve(
                host, port, ready=lambda: runtime.ready, metrics=runtime.metrics.text
            )
        except OSError as error:
            why = f"HEPATICA_PROBE_PORT: cannot listen at {host}:{port} ({error.strerror})"
            runtime.fail("found no port for probes; the server's log says why", why)
    return lambda: None


async def _livez(_: Request) -> Response:
    return _json(Alive())


async def _readyz(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    return _json(Ready(model=model_name(runtime.model)))


async def _models(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    negotiate.check(request.headers, "application/json")
    summary = ModelSummary.of(runtime.model.manifest, runtime.model.digest)
    return _json(Models(models=[summary]))


async def _metrics(request: Request) -> Response:
    runtime: Runtime = request.app.state.runtime
    return Response(runtime.metrics.text(), headers={"Content-Type": metrics.CONTENT_TYPE})


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")


async def _refuse(request: Request, error: Exception) -> Response:
    """Raise what the router refuses as an error of ours."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        raise MethodNotAllowedError(request.method, (error.headers or {}).get("Allow", ""))
    raise NotFoundError("path: found no such route, expected one of those that /docs names")
