// A worker's jobs, from both sides. The worker is a text that is loaded once as a script beside the page: a worker made of it needs no
// network any more, and runs also from a folder on a disk, where browsers let no page have a worker by its address.

type Asked = { readonly id: number; readonly job: string; readonly options: unknown };
type Answer =
  | { readonly id: number; readonly told: unknown }
  | { readonly id: number; readonly done: unknown }
  | { readonly id: number; readonly error: string };

/** What a job does with its options; it tells how it gets on. */
// biome-ignore lint/suspicious/noExplicitAny: what a job is asked and tells is between it and who asks
export type Job = (options: any, tell: (told: any) => void) => Promise<unknown>;

/** A worker's own scope, which TypeScript knows as a window. */
const scope = globalThis as unknown as { onmessage: (event: { data: Asked }) => void; postMessage(answer: Answer): void };

export function serveJobs(jobs: Readonly<Record<string, Job>>): void {
  scope.onmessage = async ({ data: { id, job, options } }) => {
    try {
      const done = await jobs[job](options, (told: unknown) => scope.postMessage({ id, told }));
      scope.postMessage({ id, done });
    } catch (error) {
      scope.postMessage({ id, error: (error as Error).message });
    }
  };
}

/** What a page asks of any worker is done one after the other: two at once would measure each other. */
let last: Promise<unknown> = Promise.resolve();

const urls = new Map<string, Promise<string>>();

/** Loads the script that has a worker's text, once; an address of what was loaded. */
function workerUrl(name: string): Promise<string> {
  let url = urls.get(name);
  if (!url) {
    url = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${name}.js`;
      script.onload = () => {
        const { vicinalWorkers } = globalThis as unknown as { vicinalWorkers: Record<string, string> };
        resolve(URL.createObjectURL(new Blob([vicinalWorkers[name]], { type: "text/javascript" })));
      };
      script.onerror = () => reject(new Error(`${name}.js, which has the engine, cannot be loaded`));
      document.head.append(script);
    });
    urls.set(name, url);
    url.catch(() => urls.delete(name));
  }
  return url;
}

/** One worker, made when it is first asked. */
export class Worked {
  readonly #name: string;
  #worker: Worker | undefined;
  #asked = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Does a job when those before it are done; an abort ends the worker in the midst of it, and all that it holds. */
  run<Told, Done>(job: string, options: unknown, tell: (told: Told) => void, signal: AbortSignal): Promise<Done> {
    const before = last;
    const done = (async () => {
      await before;
      const url = await workerUrl(this.#name);
      signal.throwIfAborted();
      return this.#run<Told, Done>(url, { id: ++this.#asked, job, options }, tell, signal);
    })();
    last = done.catch(() => {}); // told to who asked
    return done;
  }

  /** Ends the worker; what is asked next has another. */
  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #run<Told, Done>(url: string, asked: Asked, tell: (told: Told) => void, signal: AbortSignal): Promise<Done> {
    this.#worker ??= new Worker(url);
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const end = (error: unknown): void => {
        this.close();
        reject(error);
      };
      const aborted = (): void => end(signal.reason);
      signal.addEventListener("abort", aborted);
      worker.onerror = ({ message }) => {
        signal.removeEventListener("abort", aborted);
        end(new Error(message || "the worker has failed"));
      };
      worker.onmessage = ({ data }: { data: Answer }) => {
        if (data.id !== asked.id) return;
        if ("told" in data) return tell(data.told as Told);
        signal.removeEventListener("abort", aborted);
        if ("error" in data) reject(new Error(data.error));
        else resolve(data.done as Done);
      };
      worker.postMessage(asked);
    });
  }
}
