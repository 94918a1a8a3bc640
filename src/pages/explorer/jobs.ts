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

const texts = new Map<string, Promise<string>>();

/** Loads the script that has a worker's text, once. */
export function workerText(name: string): Promise<string> {
  let text = texts.get(name);
  if (!text) {
    text = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${name}.js`;
      script.onload = () => resolve((globalThis as unknown as { vicinalWorkers: Record<string, string> }).vicinalWorkers[name]);
      script.onerror = () => reject(new Error(`${name}.js, which has the engine, cannot be loaded`));
      document.head.append(script);
    });
    texts.set(name, text);
    text.catch(() => texts.delete(name));
  }
  return text;
}

/** One worker, which does one job after the other: two at once would measure each other. */
export class Worked {
  readonly #name: string;
  #worker: Worker | undefined;
  #asked = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(name: string) {
    this.#name = name;
  }

  /** Does a job when those before it are done; an abort ends the worker in the midst of it, and all that it holds. */
  run<Told, Done>(job: string, options: unknown, tell: (told: Told) => void, signal: AbortSignal): Promise<Done> {
    const before = this.#last;
    const done = (async () => {
      await before;
      const text = await workerText(this.#name);
      signal.throwIfAborted();
      return this.#run<Told, Done>(text, { id: ++this.#asked, job, options }, tell, signal);
    })();
    this.#last = done.catch(() => {}); // told to who asked
    return done;
  }

  #run<Told, Done>(text: string, asked: Asked, tell: (told: Told) => void, signal: AbortSignal): Promise<Done> {
    this.#worker ??= new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const end = (error: unknown): void => {
        worker.terminate();
        this.#worker = undefined;
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
