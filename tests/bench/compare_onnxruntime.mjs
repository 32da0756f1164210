// ONNX Runtime's forward pass for comparison, as one JSON object on standard output.
// node compare_onnxruntime.mjs MODEL.onnx BATCH THREADS NODE_MODULES [SECONDS]
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import path from 'node:path';

const [model, batchText, threadsText, modules, secondsText] = process.argv.slice(2);
if (!modules) {
    console.error('usage: node compare_onnxruntime.mjs MODEL.onnx BATCH THREADS NODE_MODULES [SECONDS]');
    process.exit(2);
}
const ort = createRequire(path.join(path.resolve(modules), 'x.js'))('onnxruntime-node');
const batch = Number(batchText);
const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: Number(threadsText), interOpNumThreads: 1, graphOptimizationLevel: 'all' });
const values = Float32Array.from({ length: batch * 3 * 224 * 224 }, (_, i) => Math.sin(i % 100003));
const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', values, [batch, 3, 224, 224]) };
for (let i = 0; i < 3; ++i) {
    await session.run(feeds);
}
const times = [];
const end = performance.now() + 1000 * Number(secondsText ?? 2);
while (performance.now() < end || times.length < 5) {
    const start = performance.now();
    await session.run(feeds);
    times.push(performance.now() - start);
}
times.sort((a, b) => a - b);
const median = times[times.length >> 1];
console.log(JSON.stringify({ runtime: 'onnxruntime', batch, threads: Number(threadsText), runs: times.length,
    median_ms: median, images_per_second: 1000 * batch / median }));
