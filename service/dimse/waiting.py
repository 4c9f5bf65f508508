"""Waiting for one of several events."""

import asyncio


async def first(*events: asyncio.Event, seconds: float) -> None:
    """Wait until one of the events is set, but no longer than that."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, timeout=max(seconds, 0), return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
