// An index below its public face, in Node and in a page: `core` is what core.ts exports, `compile` makes the
// WebAssembly.Module of a build.
export function engineOpener(core, compile) {
  const compiled = {};
  /**
   * An empty index, Flat unless `state` says more; the build `name` is a variant's, with "-core" its small one. Its memory
   * has `pages` of 64 KiB from the start: once any memory has grown, its old buffer is detached, and V8 from then on checks
   * every typed array of the process for that, which slows plain JS by a quarter. `watch` may stand between the engine and
   * the wasm's exports.
   */
  return async function openEngine(
    name,
    pages,
    { kind = "flat", metric, codec = "f32", ...state },
    watch = (exports) => exports,
  ) {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536 });
    compiled[name] ??= await compile(name);
    const { exports } = await WebAssembly.instantiate(compiled[name], { env: { memory } });
    const numbers = {
      kind: core.KIND_NAMES.indexOf(kind),
      metric: core.METRIC_NAMES.indexOf(metric),
      codec: core.CODEC_NAMES.indexOf(codec),
    };
    const whole = { ...core.EMPTY, ...core.FRESH, seed: 42, rerank: 0, rerankFactor: 1, ...numbers, ...state };
    return new core.Engine({ exports: watch(exports), memory, variant: name, maxBytes: 2 ** 32 }, core.stateBytes(whole));
  };
}
