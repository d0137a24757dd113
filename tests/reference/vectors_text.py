"""Golden vectors of prompts: segments with their emphasis, and token ids with weights, chunk by chunk."""

import json
import tempfile

import torch

from golden import FOLDER

_SEVENTY = " ".join(["cat"] * 70)

PROMPTS = [
    # plain
    "",
    " ",
    "a",
    "a photo of a cat",
    "beautiful scenery nature glass bottle landscape, , purple galaxy bottle,",
    "text, watermark",
    "Hello World!",
    "HELLO WORLD",
    "it's 2024, don't! we'll they've I'm you're he'd IT'S DON'T",
    "an astronaut riding a horse on mars, 4k",
    "magnificently antidisestablishmentarianism",
    "x<|endoftext|>y",
    "<|startoftext|> a <|endoftext|>",
    "a  b   c\td\ne\r\nf",
    "\n",
    "line one\nline two\n\nline four",
    "3.14159 1/2 1e-5 ½ ² Ⅷ ٣",
    "!!! ??? ... ,,, -- __ ++ == <<>> {}[] | ~ ` @ # $ % ^ & *",
    "http://example.com/a_b?c=d&e=f#g",
    "don''t 's ' 'll",
    "under_score CamelCase snake_case kebab-case",
    "&amp; &lt;b&gt; <lora:name:0.8>",
    "\\",
    "\\\\",
    "a\\b",
    "100% (sic)",
    # emphasis
    "(cat)",
    "((cat))",
    "(((cat)))",
    "(cat:1.3)",
    "((cat:1.3))",
    "((cat):1.3)",
    "(cat:0.5) and (dog:1.5)",
    "a (big (red:0.7) dog:1.4) runs",
    "(a:1.2)(b:0.8)",
    "(cat:)",
    "(cat:abc)",
    "(cat:1.3:0.7)",
    "(cat: 1.25 )",
    "(cat:-1)",
    "(cat:0)",
    "(cat:1)",
    "(cat:1e-1)",
    "(cat:.5)",
    "(a:b:1.2)",
    "(cat:1_0)",
    "(cat:+1.5)",
    "()",
    "(())",
    "( )",
    "(:1.5)",
    "(a, (b, (c, (d, (e)))))",
    "\\(cat\\)",
    "(\\(cat\\):1.2)",
    "\\((cat)\\)",
    "(cat\\)",
    "(cat\\):1.5)",
    "a) b (c",
    ")(",
    "((a)",
    "(a))",
    "(a:1.1",
    "a:1.5)",
    "[cat]",
    "[cat:dog:0.5]",
    "(cat:1.3)dog",
    "(two words:1.21) after",
    "un(believ)able",
    "(a\nb:1.5)",
    "(cat, 5:4)",
    "masterpiece, (best quality:1.2), ((detailed)), \\(style\\), (1girl:0.9)",
    # BREAK is a word like any other here
    "a cat BREAK a dog",
    "AND",
    "{red|blue} car // comment",
    # Unicode
    "naïve café",
    "nai\u0308ve cafe\u0301",
    "ÀÉÎÕÜ ß ẞ İstanbul ΑΣ ΟΔΟΣ",
    "Ǆ ﬁ ﬀ Å K Ω",
    "日本",
    "日本語 test 中文",
    "東京タワー",
    "한국어 한글",
    "Привет мир",
    "مرحبا",
    "שלום",
    "สวัสดี",
    "हिन्दी",
    "😀",
    "👩‍👩‍👧‍👦 family 🇯🇵 ❤️",
    "a\u00a0b\u3000c\u200bd\u2028e\u0085f",
    "“quotes” ‘single’ – — …",
    "e\u0301\u0327",
    "\ufeffbom",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ｆｕｌｌ ｗｉｄｔｈ",
    "Ⅳ ① ㊗ ㍿",
    "１２３ 一二三",
    "a\u0301b\u0301",
    "\U0010ffff\ue000",
    "x̸̡y",
    "½cat¾",
    "don’t it’s",
    # control characters
    "a\x00b",
    "a\x01b\x02c",
    "\x07bell\x1besc",
    "a\x7fb\x80c",
    "tab\tnewline\nreturn\rend",
    "a\x0bb\x0cc\x1cd\x1fe",
    "\ufffd",
    # lengths: chunks of 75, and the rule for groups that do not fit
    " ".join(["cat"] * 74),
    " ".join(["cat"] * 75),
    " ".join(["cat"] * 76),
    " ".join(["cat"] * 150),
    " ".join(["cat"] * 151),
    f"{_SEVENTY} (one two three four five:1.2)",
    f"{_SEVENTY} (one two three four five six:1.2)",
    f"{_SEVENTY} (one two three four five six seven:1.2)",
    f"{_SEVENTY} (one two three four five six seven eight:1.2)",
    f"{_SEVENTY} (one two three four five six seven eight nine:1.2)",
    f"({_SEVENTY}:1.1) (a b c:0.9) ({_SEVENTY}:1.3)",
    "(" + " ".join(["dog"] * 80) + ":1.5)",
    " ".join(f"(w{i}:1.{i % 10})" for i in range(40)),
    # textual inversion: a name that is in no folder is dropped, the rest of its segment stays
    "a embedding:missing b",
    "embedding:missing",
    "a cat, embedding:missing, and a dog",
    "(embedding:missing:1.2) cat",
    "aembedding:missing",
    "a\nembedding:missing b",
]


def _segments(prompt):
    """The prompt's parts with their weights, before tokens."""
    from comfy.sd1_clip import escape_important, token_weights, unescape_important

    return [[unescape_important(text), weight] for text, weight in token_weights(escape_important(prompt), 1.0)]


def write(oracle):
    import transformers
    from comfy.sd1_clip import SD1Tokenizer

    cases = []
    with tempfile.TemporaryDirectory() as no_embeddings:
        tokenizer = SD1Tokenizer(embedding_directory=no_embeddings)
        for prompt in PROMPTS:
            chunks = tokenizer.tokenize_with_weights(prompt)["l"]
            # Weights pass through float32 when they meet tensors: that is what we keep.
            cases.append(
                {
                    "prompt": prompt,
                    "segments": [[text, torch.tensor(weight).item()] for text, weight in _segments(prompt)],
                    "chunks": [
                        {"ids": [token for token, _ in chunk], "weights": [torch.tensor(w).item() for _, w in chunk]}
                        for chunk in chunks
                    ],
                }
            )
    record = {
        "reference": oracle.version,
        "transformers": transformers.__version__,
        "tool": "tests/reference/vectors_text.py",
        "cases": len(cases),
    }
    lines = ",\n".join(json.dumps(case, ensure_ascii=True, allow_nan=False) for case in cases)
    path = FOLDER / "tokens.json"
    path.write_text(f'{{"record": {json.dumps(record)},\n"cases": [\n{lines}\n]}}\n')
    print(f"{path.name}: {len(cases)} prompts, {path.stat().st_size / 1024:.0f} KiB", flush=True)
