// Cloudflare's runtime, with a worker bundled as wrangler does it: by esbuild, under its conditions, .wasm left to the runtime.
import { writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { type Project, runtime } from "./packed.js";
import { serving } from "./serving.js";

/** Serves `main`, a path in the project, as of a compatibility date: what `work` makes of its origin. */
export async function inWorkerd<T>(
  project: Project,
  main: string,
  compatibilityDate: string,
  work: (origin: string) => Promise<T>,
): Promise<T> {
  const folder = join(project.folder, dirname(main), "bundle");
  await build({
    entryPoints: [join(project.folder, main)],
    absWorkingDir: project.folder,
    outfile: join(folder, "worker.js"),
    bundle: true,
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    external: ["*.wasm"],
    logLevel: "warning",
  });
  const wasm = relative(folder, join(project.folder, "node_modules/vicinal/dist/wasm/simd.wasm")).replaceAll("\\", "/");
  const config = `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [(name = "main", worker = .main)],
      sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
    );
    const main :Workerd.Worker = (
      modules = [
        (name = "worker.js", esModule = embed "worker.js"),
        (name = "vicinal/wasm/simd.wasm", wasm = embed "${wasm}"),
      ],
      compatibilityDate = "${compatibilityDate}",
    );`;
  writeFileSync(join(folder, "worker.capnp"), config);
  const server = project.start(folder, runtime("workerd", "@cloudflare"), "serve", "worker.capnp", "--control-fd=1");
  return serving(server, /"port": *(\d+)/, ([, port]) => work(`http://127.0.0.1:${port}/`));
}
