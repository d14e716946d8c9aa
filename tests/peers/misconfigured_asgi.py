"""A FastAPI application with one thing wrong at each path; uvicorn runs it as `misconfigured_asgi:app`."""

import os
import signal

from fastapi import Depends, FastAPI, HTTPException, WebSocket

app = FastAPI()


@app.websocket("/ok")
async def ok(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text("ready")
    while True:
        await websocket.send_text(await websocket.receive_text())


@app.get("/http-only")
async def http_only():
    return {"status": "ok"}


@app.websocket("/needs-room")
async def needs_room(websocket: WebSocket, room: str):
    await websocket.accept()
    await websocket.send_text(room)


@app.websocket("/closes-4401-first")
async def closes_first(websocket: WebSocket):
    await websocket.close(code=4401, reason="bad token")


@app.websocket("/raises-first")
async def raises_first(websocket: WebSocket):
    raise RuntimeError("settings are not loaded")


@app.websocket("/raises-later")
async def raises_later(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text("ready")
    raise ValueError("tenant is missing")


def refuse():
    raise HTTPException(status_code=401, detail="Invalid token")


@app.websocket("/depends-401")
async def depends_401(websocket: WebSocket, user=Depends(refuse)):
    await websocket.accept()


@app.websocket("/returns")
async def returns(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text("ready")


@app.websocket("/policy")
async def policy(websocket: WebSocket):
    await websocket.accept()
    await websocket.close(code=1008, reason="Signature has expired")


@app.websocket("/ends-process")
async def ends_process(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text("ready")
    os._exit(3)


@app.websocket("/asked-to-end")
async def asked_to_end(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text("ready")
    os.kill(os.getpid(), signal.SIGTERM)
    await websocket.receive_text()
