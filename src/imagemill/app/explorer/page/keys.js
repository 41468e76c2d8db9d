// What draws belong to: the 64 bits of a file's name, as two words. BLAKE2b with eight bytes (RFC 7693), as
// imagemill.core.randomness.hash_key has it, so that copies are those of `imagemill augment`.

const WORD = (1n << 64n) - 1n;
const BEGIN = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
];
const ORDER = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4], [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13], [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11], [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5], [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
const COLUMNS = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15], [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];

function rotated(word, bits) {
  return ((word >> BigInt(bits)) | (word << BigInt(64 - bits))) & WORD;
}

/** The low and the high word that stand for a text. */
function hashKey(text) {
  const bytes = new TextEncoder().encode(text), h = [...BEGIN];
  h[0] ^= 0x01010008n;
  const blocks = Math.max(Math.ceil(bytes.length / 128), 1);
  for (let block = 0; block < blocks; block++) {
    const last = block === blocks - 1, part = new Uint8Array(128);
    part.set(bytes.subarray(128 * block, 128 * (block + 1)));
    const view = new DataView(part.buffer), m = ORDER[0].map((i) => view.getBigUint64(8 * i, true));
    const v = [...h, ...BEGIN];
    v[12] ^= BigInt(last ? bytes.length : 128 * (block + 1));
    if (last) v[14] ^= WORD;
    for (let round = 0; round < 12; round++) {
      const s = ORDER[round % 10];
      COLUMNS.forEach(([a, b, c, d], i) => {
        for (const [word, turn, back] of [[m[s[2 * i]], 32, 24], [m[s[2 * i + 1]], 16, 63]]) {
          v[a] = (v[a] + v[b] + word) & WORD;
          v[d] = rotated(v[d] ^ v[a], turn);
          v[c] = (v[c] + v[d]) & WORD;
          v[b] = rotated(v[b] ^ v[c], back);
        }
      });
    }
    for (let i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
  }
  return [Number(h[0] & 0xffffffffn), Number(h[0] >> 32n)];
}
