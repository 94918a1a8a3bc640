// Workers, of a page or of Node. And threads that help to build a graph: workers with an instance each of the same module on the index's shared memory, asleep
// but for the tasks that assembly/family/graph/bulk/team.ts announces.
import type { Instance } from "./instance.js";

const NODE = `const { parentPort, workerData: task } = require("node:worker_threads");
WebAssembly.instantiate(task.module, { env: { memory: task.memory } }).then(({ exports }) => {
  parentPort.postMessage(0);
  exports.serve(task.worker);
});`;
const WEB = `onmessage = async ({ data: { module, memory, worker } }) => {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  postMessage(0);
  exports.serve(worker);
};`;

interface Task {
  /** WebAssembly.Module and Memory, which the types of a user's project may not know. */
  readonly module: object;
  readonly memory: object;
  readonly worker: number;
}

/** A worker that has begun to serve, as what ends it. */
type Start = (task: Task) => Promise<() => void>;

interface NodeWorker {
  once(event: "message" | "error", listener: (what: unknown) => void): void;
  ref(): void;
  unref(): void;
  postMessage(message: unknown): void;
  terminate(): Promise<number>;
}
type NodeThreads = { Worker: new (code: string, options: { eval: true; workerData?: Task }) => NodeWorker };

interface WebWorker {
  onmessage: ((event: unknown) => void) | null;
  onerror: ((event: { message?: string }) => void) | null;
  addEventListener(type: "message", listener: () => void, options: { once: true }): void;
  postMessage(message: unknown): void;
  terminate(): void;
}
type WebWorkers = new (url: string, options?: { type: "module" }) => WebWorker;

const inNode =
  ({ Worker }: NodeThreads): Start =>
  (task) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(NODE, { eval: true, workerData: task });
      worker.once("error", reject);
      worker.once("message", () => {
        worker.unref(); // a process ends though its index was not closed
        resolve(() => void worker.terminate());
      });
    });

const onTheWeb =
  (Worker: WebWorkers): Start =>
  (task) =>
    new Promise((resolve, reject) => {
      const url = URL.createObjectURL(new Blob([WEB], { type: "text/javascript" }));
      const worker = new Worker(url, { type: "module" });
      worker.onerror = ({ message }) => reject(new Error(message ?? "the worker could not start"));
      worker.onmessage = () => {
        URL.revokeObjectURL(url);
        resolve(() => worker.terminate());
      };
      worker.postMessage(task);
    });

/**
 * What makes workers here. Node's own threads also where Deno and Bun have them, since a process ends though these run; on a page (of
 * Electron, too) the page's.
 */
function makers(): { readonly web: WebWorkers } | { readonly threads: NodeThreads } {
  const { Worker, document, process } = globalThis as {
    Worker?: WebWorkers;
    document?: unknown;
    process?: { getBuiltinModule?(name: string): NodeThreads | undefined };
  };
  const threads = process?.getBuiltinModule?.("node:worker_threads");
  if (Worker && (document || !threads)) return { web: Worker };
  if (threads) return { threads };
  throw new Error("this runtime has no workers (Node has what it takes from 20.16 on)");
}

function starter(): Start {
  const made = makers();
  return "web" in made ? onTheWeb(made.web) : inNode(made.threads);
}

/** A worker of a script. */
export interface Thread {
  readonly port: { postMessage(message: unknown): void };
  end(): void;
  /** Whether a process of Node is not to end before it. */
  holds(held: boolean): void;
}

/** A worker that runs a text, as a script without imports. Throws where there are none. */
export function threadOf(text: string): Thread {
  const made = makers();
  if ("threads" in made) {
    const worker = new made.threads.Worker(text, { eval: true });
    return { port: worker, end: () => void worker.terminate(), holds: (held) => (held ? worker.ref() : worker.unref()) };
  }
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const worker = new made.web(url);
  const forget = (): void => URL.revokeObjectURL(url);
  worker.addEventListener("message", forget, { once: true });
  return {
    port: worker,
    end() {
      forget();
      worker.terminate();
    },
    holds() {},
  };
}

/** n workers for an instance of a `threads` build in which no index is yet; what it returns ends them. */
async function helpers({ module, memory }: Instance, n: number): Promise<() => void> {
  const ends: (() => void)[] = [];
  const endAll = (): void => {
    for (const end of ends.splice(0)) end();
  };
  try {
    const start = starter();
    for (let worker = 0; worker < n; worker++) {
      ends.push(await start({ module, memory, worker }));
    }
  } catch (error) {
    endAll();
    throw error;
  }
  return endAll;
}

/**
 * The instance that `make` makes, if it can, with threads that will build in it; `working`: so many of them from now on, the caller's own
 * included. `fail` makes an error of a sentence.
 */
export async function hire(
  threads: number,
  working: number,
  make: () => Promise<Instance | undefined>,
  fail: (why: string) => Error,
): Promise<Instance> {
  try {
    const instance = await make();
    if (instance) return { ...instance, threads, endThreads: await helpers(instance, working - 1) };
    throw new Error("not here");
  } catch (error) {
    if ((error as { code?: unknown }).code !== undefined) throw error;
    const why = (error as Error).message;
    throw fail(`threads need relaxed SIMD and shared memory (on a page: cross-origin isolation): ${why}`);
  }
}
