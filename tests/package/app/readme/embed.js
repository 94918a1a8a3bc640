// What the README's snippets import as a model: words hashed into 384 numbers, so that texts that share words are near.
export async function embed(texts) {
  return texts.map((text) => {
    const vector = new Float32Array(384);
    for (const word of text.toLowerCase().match(/\w+/g) ?? ["nothing"]) {
      let hash = 2166136261;
      for (const letter of word) hash = Math.imul(hash ^ letter.codePointAt(0), 16777619);
      for (let i = 0; i < 8; i++) {
        hash = Math.imul(hash ^ (hash >>> 15), 2246822519);
        vector[(hash >>> 0) % 384] += 1;
      }
    }
    return vector;
  });
}
