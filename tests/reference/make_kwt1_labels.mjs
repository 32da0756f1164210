// The classes ONNX Runtime gives the recordings of the keyword transformer KWT-1, read here on its own terms.
// Usage: node make_kwt1_labels.mjs NODE_MODULES KWT1_FOLDER OUT.json
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';

const [modules, folder, out] = process.argv.slice(2);
const ort = createRequire(path.resolve(modules, 'x.js'))('onnxruntime-node');
const session = await ort.InferenceSession.create(path.join(folder, 'model.onnx'));
const result = {};
for (const label of fs.readdirSync(path.join(folder, 'clips')).sort()) {
    const below = path.join(folder, 'clips', label);
    if (!fs.statSync(below).isDirectory()) continue;
    for (const name of fs.readdirSync(below).sort()) {
        const file = fs.readFileSync(path.join(below, name));
        const start = file.indexOf('data') + 8; // mono 16-bit files without other parts
        const audio = new Float32Array(16000);
        for (let i = 0; i < 16000 && start + 2 * i + 1 < file.length; ++i) {
            audio[i] = file.readInt16LE(start + 2 * i) / 32768;
        }
        const feeds = { audio: new ort.Tensor('float32', audio, [1, 16000]) };
        const logits = Array.from((await session.run(feeds)).logits.data);
        const sorted = [...logits].sort((a, b) => b - a);
        result[`${label}/${name}`] = [logits.indexOf(sorted[0]), Number((sorted[0] - sorted[1]).toFixed(4))];
    }
}
fs.writeFileSync(out, JSON.stringify(result, null, 0).replaceAll('],"', '],\n"') + '\n');
