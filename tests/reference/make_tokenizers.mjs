// Small tokenizers of every kind, trained here on the texts below, and the token ids that the JavaScript package
// @huggingface/tokenizers (0.2.0, npm) gives those texts.
// Usage: node make_tokenizers.mjs NODE_MODULES OUT_FOLDER
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, out] = process.argv.slice(2);
const library = path.resolve(modules, '@huggingface/tokenizers/dist/tokenizers.mjs');
const { Tokenizer } = await import(pathToFileURL(library).href);

const texts = [
    'Once upon a time there was a little girl named Lily. She loved to play outside in the park.',
    "It's what they're saying: we've won, I'm sure he'll say 'tis fine, but she'd rather 'SHOUT'.",
    '  two  spaces   three    four \t tab\ttab  ',
    'line one\r\nline two\n\n\nline five\r\n \n end\n',
    'In 2024, 1234567 people paid $3.50 (or 1/2) for 10% of 5kg: 0x1F, 3rd, v2.0.1-beta!',
    'Äpfel, Öl und Übermut: die Straße heißt „Große Bleiche“ – naïve café déjà vu, señor Ñandú.',
    'A\u0308pfel cafe\u0301 e\u0301\u0323 o\u0323\u0302 n\u0303 combining, Å \u212B A\u030A',
    'İstanbul’da ılık bir gün: IĞDIR, ıssız. ΣΟΦΙΑ και λόγος. Москва — столица России, ёлка.',
    '今天天气很好，我们去公园玩。東京タワーへ行きました。ひらがなカタカナ漢字。',
    '안녕하세요 세계, 한국어 문장입니다. สวัสดีชาวโลก ภาษาไทย',
    'مَرْحَبًا بالعالم، كيف الحال؟ שלום עולם नमस्ते दुनिया क्या हाल है',
    '👍🏽 👨‍👩‍👧‍👦 🇩🇪🇯🇵 ❤️ 😀😀😀 text😀text ☃',
    'ﬁne ﬂag ＡＢＣ１２３ ½ ² Ⅷ ① 𝔸𝕓𝒸 ㎏ ｶﾞ ～ ~',
    'a\u00a0b\u2003c\u3000d\u2028e\u202ff\u200bg\u200dh\u00adi',
    'control \u0001\u0002\u007f\u0009 and \ufffd replaced',
    '"quotes" \'single\' `tick` [brackets] {braces} <angle> (a)(b)((c)) a_b__c -- --- ... !?!? @#$%^&*+=|\\~/',
    'before <|endoftext|> after<|endoftext|><|endoftext|>x [MASK] [mask] y <mask> z  <mask>  w </s>',
    'abcdefghij'.repeat(40) + ' ' + 'ha'.repeat(150) + ' ' + '!'.repeat(60) + ' ' + 'ー'.repeat(120),
    'x',
    ' ',
    '\n',
    '',
    'The quick brown fox jumps over the lazy dog. THE QUICK BROWN FOX. the the the Then there these.',
    'ünïcödé wörds wïth mäny diäcritics, żółć gęślą jaźń, Příliš žluťoučký kůň, Việt Nam đẹp lắm',
];
const seen = texts.filter((_, i) => ![11, 14, 17].includes(i)); // the others hold what no vocabulary knows

function counted(words) {
    const counts = new Map();
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    return counts;
}

/// Pairs merged most often first; words are lists of symbols with a count.
function learnMerges(words, wanted, joined = (a, b) => a + b) {
    const corpus = [...words].map(([word, count]) => [Array.isArray(word) ? word : [...word], count]);
    const merges = [];
    while (merges.length < wanted) {
        const pairs = new Map();
        for (const [symbols, count] of corpus) {
            for (let i = 0; i + 1 < symbols.length; ++i) {
                const key = symbols[i] + '\u0000' + symbols[i + 1];
                pairs.set(key, (pairs.get(key) ?? 0) + count);
            }
        }
        const best = [...pairs].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0];
        if (!best || best[1] < 2) break;
        const [a, b] = best[0].split('\u0000');
        merges.push([a, b]);
        for (const entry of corpus) {
            const merged = [];
            for (const symbol of entry[0]) {
                if (merged.length > 0 && merged.at(-1) === a && symbol === b && !merged.at(-1).done) {
                    merged[merged.length - 1] = joined(a, b);
                } else {
                    merged.push(symbol);
                }
            }
            entry[0] = merged;
        }
    }
    return merges;
}

const gpt2 = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
const llama3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
    + '|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const byteCharacters = (() => {
    const table = [];
    let next = 256;
    for (let b = 0; b < 256; ++b) {
        const printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        table.push(String.fromCodePoint(printable ? b : next++));
    }
    return table;
})();
const asBytes = (text) => [...new TextEncoder().encode(text)].map((b) => byteCharacters[b]).join('');

function byteLevelModel(first, extra, merges, asLists) {
    const vocab = {};
    for (const token of [...first, ...byteCharacters, ...merges.map(([a, b]) => a + b)]) {
        vocab[token] ??= Object.keys(vocab).length;
    }
    return {
        type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
        fuse_unk: false, byte_fallback: false, vocab, merges: asLists ? merges : merges.map((m) => m.join(' ')), ...extra,
    };
}

const added = (content, id, options = {}) => ({
    id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...options,
});
const files = (normalizer, pre_tokenizer, post_processor, model, added_tokens) => ({
    version: '1.0', truncation: null, padding: null, added_tokens, normalizer, pre_tokenizer, post_processor,
    decoder: null, model,
});

function gpt2Like(prefixSpace) {
    const words = counted(seen.flatMap((t) => ((prefixSpace && !t.startsWith(' ') ? ' ' : '') + t).match(gpt2) ?? []).map(asBytes));
    return learnMerges(words, 350);
}

function makeGpt2() {
    const model = byteLevelModel([], {}, gpt2Like(false), false);
    const id = Object.keys(model.vocab).length;
    const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
    return files(null, level, { ...level, trim_offsets: false }, model, [added('<|endoftext|>', id)]);
}

function makeRoberta() {
    const model = byteLevelModel(['<s>', '<pad>', '</s>', '<unk>', '<mask>'], {}, gpt2Like(true), true);
    const level = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };
    const post = { type: 'RobertaProcessing', sep: ['</s>', 2], cls: ['<s>', 0], trim_offsets: true, add_prefix_space: true };
    return files({ type: 'NFC' }, level, post, model,
        [added('<s>', 0), added('</s>', 2), added('<mask>', 4, { lstrip: true })]);
}

function makeLlama3() {
    const words = counted(seen.flatMap((t) => t.match(new RegExp(llama3.replace('(?i:', '(?:'), 'gu')) ?? []).map(asBytes));
    const model = byteLevelModel([], { ignore_merges: true }, learnMerges(words, 300), true);
    const whole = asBytes(' outside'); // a word no merges lead to
    model.vocab[whole] ??= Object.keys(model.vocab).length;
    const id = Object.keys(model.vocab).length;
    const pre = { type: 'Sequence', pretokenizers: [
        { type: 'Split', pattern: { Regex: llama3 }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }] };
    const post = { type: 'Sequence', processors: [
        { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true },
        { type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<|endoftext|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
          pair: [], special_tokens: { '<|endoftext|>': { id: '<|endoftext|>', ids: [id], tokens: ['<|endoftext|>'] } } }] };
    return files(null, pre, post, model, [added('<|endoftext|>', id)]);
}

function sentencePieceModel() {
    const words = counted(seen.flatMap((t) => ('▁' + t.replaceAll(' ', '▁')).split(/(?=▁)/u)));
    const merges = learnMerges(words, 300);
    const vocab = {};
    const bytes = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`);
    const common = counted(seen.slice(0, 8).flatMap((t) => [...t.replaceAll(' ', '▁')]));
    const characters = [...common].filter(([c, n]) => n > 1 && c >= '!').map(([c]) => c);
    const tokens = ['<unk>', '<s>', '</s>', ...bytes, '▁', ...characters];
    for (const token of tokens) vocab[token] ??= Object.keys(vocab).length;
    const kept = merges.filter(([a, b]) => {
        if (!(a in vocab) || !(b in vocab)) return false;
        vocab[a + b] ??= Object.keys(vocab).length;
        return true;
    });
    return {
        type: 'BPE', dropout: null, unk_token: '<unk>', continuing_subword_prefix: null, end_of_word_suffix: null,
        fuse_unk: true, byte_fallback: true, ignore_merges: false, vocab, merges: kept.map((m) => m.join(' ')),
    };
}
const beginning = { type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [], special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } } };
const sentencePieceTokens = [added('<unk>', 0), added('<s>', 1), added('</s>', 2)];

function makeLlama() {
    const normalizer = { type: 'Sequence', normalizers: [
        { type: 'Prepend', prepend: '▁' }, { type: 'Replace', pattern: { String: ' ' }, content: '▁' }] };
    return files(normalizer, null, beginning, sentencePieceModel(), sentencePieceTokens);
}

function makeMetaspace(scheme, split) {
    const pre = { type: 'Metaspace', replacement: '▁', prepend_scheme: scheme, split };
    return files(null, pre, beginning, sentencePieceModel(), sentencePieceTokens);
}

const bertWords = (lower) => counted(seen.flatMap((t) => (lower ? t.normalize('NFD').replace(/\p{Mn}/gu, '').toLowerCase() : t)
    .match(/[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]/gu) ?? []));

function wordPieces(lower) {
    const words = new Map([...bertWords(lower)].map(([w, n]) => [[...w].map((c, i) => (i > 0 ? '##' : '') + c), n]));
    const merges = learnMerges(words, 250, (a, b) => a + b.replace(/^##/, ''));
    const common = counted(seen.slice(0, 10).flatMap((t) => [...(lower ? t.normalize('NFD').toLowerCase() : t)]));
    const characters = [...common].filter(([c, n]) => n > 1 && /\S/u.test(c)).map(([c]) => c);
    const vocab = {};
    for (const token of ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...characters, ...characters.map((c) => '##' + c),
        ...merges.map(([a, b]) => a + b.replace(/^##/, ''))]) {
        vocab[token] ??= Object.keys(vocab).length;
    }
    return { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab };
}
const bertTokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map((t, i) => added(t, i));

function makeBert(lower) {
    const normalizer = { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: lower };
    const post = { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] };
    return files(normalizer, { type: 'BertPreTokenizer' }, post, wordPieces(lower), bertTokens);
}

function makeWords() {
    const normalizer = { type: 'Sequence', normalizers: [
        { type: 'NFKD' }, { type: 'StripAccents' }, { type: 'Lowercase' },
        { type: 'Replace', pattern: { Regex: '[0-9]{4,}' }, content: '#' }, { type: 'Strip', strip_left: true, strip_right: true }] };
    const pre = { type: 'Sequence', pretokenizers: [
        { type: 'WhitespaceSplit' }, { type: 'Split', pattern: { Regex: '[.,:;!?]' }, behavior: 'Isolated', invert: false },
        { type: 'Digits', individual_digits: true }] };
    return files(normalizer, pre, null, wordPieces(true), bertTokens);
}

function makeUnigram(normalizer) {
    const words = seen.flatMap((t) => ('▁' + t.normalize('NFKC').trim().replaceAll(/\s+/gu, '▁')).split(/(?=▁)/u));
    const counts = new Map();
    for (const word of words) {
        const c = [...word];
        for (let i = 0; i < c.length; ++i) {
            for (let n = 1; n <= 6 && i + n <= c.length; ++n) {
                const piece = c.slice(i, i + n).join('');
                counts.set(piece, (counts.get(piece) ?? 0) + n);
            }
        }
    }
    const kept = [...counts].filter(([p, n]) => n > 2 * [...p].length).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 500);
    const total = kept.reduce((sum, [, n]) => sum + n, 0);
    const vocab = [['<pad>', 0], ['</s>', 0], ['<unk>', 0], ...kept.map(([p, n], i) => [p, Math.log(n / total) - 1e-6 * i])];
    const post = { type: 'TemplateProcessing', single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
        pair: [], special_tokens: { '</s>': { id: '</s>', ids: [1], tokens: ['</s>'] } } };
    const pre = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
    return files(normalizer, pre, post, { type: 'Unigram', unk_id: 2, vocab, byte_fallback: false },
        [added('<pad>', 0), added('</s>', 1), added('<unk>', 2)]);
}

const made = {
    gpt2: makeGpt2(), roberta: makeRoberta(), llama3: makeLlama3(), llama: makeLlama(),
    metaspace_first: makeMetaspace('first', false), metaspace_words: makeMetaspace('always', true),
    bert: makeBert(true), bert_cased: makeBert(false), words: makeWords(),
    unigram: makeUnigram({ type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' }] }),
    unigram_precompiled: makeUnigram({ type: 'Precompiled', precompiled_charsmap: 'AAAA' }),
};
const expected = {};
for (const [name, json] of Object.entries(made)) {
    fs.mkdirSync(path.join(out, name), { recursive: true });
    fs.writeFileSync(path.join(out, name, 'tokenizer.json'), JSON.stringify(json) + '\n');
    const tokenizer = new Tokenizer(structuredClone(json), {});
    const framed = tokenizer.encode('x').ids;
    const plain = tokenizer.encode('x', { add_special_tokens: false }).ids;
    expected[name] = {
        ids: texts.map((t) => tokenizer.encode(t, { add_special_tokens: false }).ids),
        x: plain, framed_x: framed,
    };
}
fs.writeFileSync(path.join(out, 'expected.json'), JSON.stringify({ texts, expected }).replaceAll('],[', '],\n[') + '\n');
