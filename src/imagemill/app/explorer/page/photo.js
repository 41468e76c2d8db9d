// The photo: read from a file, kept as an image for the graphics card and as a small one for everything else.

const SMALL = 256, FALLBACK = 1024;

/** Pixels of something that can be drawn, no side longer than asked. */
function pixelsOf(source, shape, most) {
  const share = Math.min(1, most / Math.max(...shape)), [rows, columns] = shape.map((n) => Math.max(Math.round(n * share), 1));
  const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  if (source.data) {
    const whole = Object.assign(document.createElement("canvas"), { width: shape[1], height: shape[0] });
    whole.getContext("2d").putImageData(new ImageData(source.data, shape[1], shape[0]), 0, 0);
    context.drawImage(whole, 0, 0, columns, rows);
  } else {
    context.drawImage(source, 0, 0, columns, rows);
  }
  return { shape: [rows, columns], data: context.getImageData(0, 0, columns, rows).data };
}

/** A photo of a file or a data: address, turned as its EXIF says, its values as they are stored. */
async function photoOf(blob, name, key) {
  const options = { imageOrientation: "from-image", premultiplyAlpha: "none", colorSpaceConversion: "none" };
  let source;
  try {
    source = await createImageBitmap(blob, options);
  } catch {
    throw new Error(`${name}: expected a picture that this browser can read (JPEG, PNG, WebP, GIF, BMP, AVIF). Scans and other files: imagemill explore ${name}`);
  }
  return photoFrom(source, [source.height, source.width], name, key);
}

function photoFrom(source, shape, name, key) {
  const small = pixelsOf(source, shape, SMALL), { data } = small;
  let gray = true;
  for (let i = 0; i < data.length && gray; i += 4) gray = data[i] === data[i + 1] && data[i] === data[i + 2];
  return { source, shape, name, key, small, gray, whole: null };
}

/** The bytes of a data: address, without asking the network for them. */
function blobOf(address) {
  const [head, text] = address.split(","), bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: head.slice(5).split(";")[0] });
}
