// The page behind /docs. A browser shows 16 bits of HU + 1024 as black, so the picture of a
// synthetic lesion is shown in the window that liver is read in.
const WINDOW_HU = [-150, 250];
const PNG_OFFSET = 1024;
const IHDR = 0x49484452, IDAT = 0x49444154;

// Read a 16-bit greyscale PNG of unfiltered rows, as the service writes it.
async function decode(blob) {
  const png = new DataView(await blob.arrayBuffer());
  let width = 0, height = 0;
  const compressed = [];
  for (let at = 8; at < png.byteLength; at += 12 + png.getUint32(at)) {
    const kind = png.getUint32(at + 4);
    if (kind === IHDR) [width, height] = [png.getUint32(at + 8), png.getUint32(at + 12)];
    if (kind === IDAT) compressed.push(new Uint8Array(png.buffer, at + 8, png.getUint32(at)));
  }
  const inflated = new Blob(compressed).stream().pipeThrough(new DecompressionStream("deflate"));
  const rows = new DataView(await new Response(inflated).arrayBuffer());
  const value = (x, y) => rows.getUint16(y * (1 + 2 * width) + 1 + 2 * x);
  return {width, height, value};
}

async function windowed(answer) {
  if (!answer.url.includes("/synthesize?") || answer.headers["content-type"] !== "image/png") {
    return answer;
  }
  const {width, height, value} = await decode(answer.data);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const pixels = new ImageData(width, height);
  const [low, high] = WINDOW_HU;
  for (let i = 0; i < width * height; i++) {
    const hu = value(i % width, Math.floor(i / width)) - PNG_OFFSET;
    const grey = (255 * (hu - low)) / (high - low); // clamped by the array
    pixels.data.set([grey, grey, grey, 255], 4 * i);
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  const shown = await new Promise((done) => canvas.toBlob(done));
  return {...answer, data: shown};
}

// `format` says what is answered: the media type that Swagger UI shows first must not refuse it.
function acceptAnyFormat(request) {
  if (request.url.includes("/synthesize?")) request.headers.accept = "*/*";
  return request;
}

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#ui",
  validatorUrl: null,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: -1,
  requestInterceptor: acceptAnyFormat,
  responseInterceptor: windowed,
});
