// Runs an ONNX model in ONNX Runtime: node run_onnx.mjs MODEL.onnx INPUT.npy OUTPUT.npy
// INPUT is float32 [N, ...] for the model's first input, fed eight samples at a time; OUTPUT is the first output for all
// of them. QS_NODE_MODULES names the node_modules folder that holds onnxruntime-node.
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BATCH = 8;

function readNpy(path) {
  const bytes = readFileSync(path);
  if (bytes.toString('latin1', 1, 6) !== 'NUMPY') {
    throw new Error(`${path} is no .npy file`);
  }
  const wide = bytes[6] >= 2;
  const headerLength = wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8);
  const start = (wide ? 12 : 10) + headerLength;
  const header = bytes.toString('latin1', wide ? 12 : 10, start);
  if (!header.includes("'<f4'") || header.includes("'fortran_order': True")) {
    throw new Error(`${path} is not little-endian float32 in C order: ${header.trim()}`);
  }
  const dims = /'shape': \(([^)]*)\)/.exec(header)[1].split(',').filter((s) => s.trim() !== '').map(Number);
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
  return { dims, data };
}

function writeNpy(path, dims, data) {
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`;
  header = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + '\n';
  const front = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${header}`, 'latin1');
  front.writeUInt16LE(header.length, 8);
  writeFileSync(path, Buffer.concat([front, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]));
}

const [modelPath, inputPath, outputPath] = process.argv.slice(2);
const require = createRequire(join(process.env.QS_NODE_MODULES, 'resolve-from-here.js'));
const ort = require('onnxruntime-node');
// Without it, 8-bit products on processors that lack VNNI saturate in 16 bits: a fault of theirs, not of the file.
const session = await ort.InferenceSession.create(modelPath,
  { intraOpNumThreads: 2, extra: { session: { x64quantprecision: '1' } } });
const { dims, data } = readNpy(inputPath);
const width = data.length / dims[0];
const parts = [];
let outputDims = [];
for (let first = 0; first < dims[0]; first += BATCH) {
  const count = Math.min(BATCH, dims[0] - first);
  const batch = new ort.Tensor('float32', data.slice(first * width, (first + count) * width), [count, ...dims.slice(1)]);
  const outputs = await session.run({ [session.inputNames[0]]: batch });
  const output = outputs[session.outputNames[0]];
  outputDims = output.dims;
  parts.push(Buffer.from(output.data.buffer, output.data.byteOffset, output.data.byteLength));
}
const all = Buffer.concat(parts);
const floats = new Float32Array(all.buffer.slice(all.byteOffset, all.byteOffset + all.byteLength));
writeNpy(outputPath, [dims[0], ...outputDims.slice(1)], floats);
