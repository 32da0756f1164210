// Runs many ONNX models in ONNX Runtime: node run_graphs.mjs JOB.json RESULT.json
// JOB is [{ model, inputs: [files], outputs: prefix }]: inputs are float32 .npy files in the order of the model's inputs,
// converted to their types; outputs become <prefix>0.npy, <prefix>1.npy, ... as float32. RESULT is ["" or the error].
// The runtime's own fusions are switched off. QS_NODE_MODULES names the folder that holds onnxruntime-node.
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

function readNpy(path) {
  const bytes = readFileSync(path);
  const start = (bytes[6] >= 2 ? 12 + bytes.readUInt32LE(8) : 10 + bytes.readUInt16LE(8));
  const header = bytes.toString('latin1', 10, start);
  if (!header.includes("'<f4'")) {
    throw new Error(`${path} is not float32: ${header.trim()}`);
  }
  const dims = /'shape': \(([^)]*)\)/.exec(header)[1].split(',').filter((s) => s.trim() !== '').map(Number);
  return { dims, data: new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length)) };
}

function writeNpy(path, dims, data) {
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`;
  header = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + '\n';
  const front = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${header}`, 'latin1');
  front.writeUInt16LE(header.length, 8);
  writeFileSync(path, Buffer.concat([front, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]));
}

/// Bits of a number that binary16 holds exactly.
function halfBits(value) {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, value);
  const all = bits.getUint32(0);
  const exponent = ((all >>> 23) & 255) - 127;
  if (value === 0) {
    return (all >>> 16) & 0x8000;
  }
  if (exponent < -14 || exponent > 15 || (all & 0x1fff) !== 0) {
    throw new Error(`${value} is no normal binary16 number`);
  }
  return ((all >>> 16) & 0x8000) | ((exponent + 15) << 10) | ((all >>> 13) & 0x3ff);
}

function halfValue(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) {
    return fraction === 0 ? sign * Infinity : NaN;
  }
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function tensorOf(ort, type, { dims, data }) {
  switch (type) {
    case 'float32': return new ort.Tensor(type, data, dims);
    case 'float16': return new ort.Tensor(type, Uint16Array.from(data, halfBits), dims);
    case 'int64': return new ort.Tensor(type, BigInt64Array.from(data, (x) => BigInt(x)), dims);
    case 'int32': return new ort.Tensor(type, Int32Array.from(data), dims);
    case 'int8': return new ort.Tensor(type, Int8Array.from(data), dims);
    case 'uint8': return new ort.Tensor(type, Uint8Array.from(data), dims);
    case 'bool': return new ort.Tensor(type, Uint8Array.from(data), dims);
    default: throw new Error(`an input of type ${type}`);
  }
}

function floatsOf({ type, data }) {
  if (type === 'float16') {
    return data instanceof Uint16Array ? Float32Array.from(data, halfValue) : Float32Array.from(data);
  }
  return Float32Array.from(data, Number);
}

const [jobPath, resultPath] = process.argv.slice(2);
const require = createRequire(join(process.env.QS_NODE_MODULES, 'resolve-from-here.js'));
const ort = require('onnxruntime-node');
const results = [];
for (const { model, inputs, outputs } of JSON.parse(readFileSync(jobPath, 'utf8'))) {
  try {
    const session = await ort.InferenceSession.create(model, {
      intraOpNumThreads: 2, graphOptimizationLevel: 'disabled', logSeverityLevel: 4,
    });
    const feeds = {};
    inputs.forEach((file, i) => {
      feeds[session.inputNames[i]] = tensorOf(ort, session.inputMetadata[i].type, readNpy(file));
    });
    const made = await session.run(feeds);
    session.outputNames.forEach((name, i) => writeNpy(`${outputs}${i}.npy`, made[name].dims, floatsOf(made[name])));
    await session.release();
    results.push('');
  } catch (error) {
    results.push(String(error.message));
  }
}
writeFileSync(resultPath, JSON.stringify(results));
