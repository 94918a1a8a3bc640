// A process that answers one line of JSON to each command line.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export class Contender {
  #child;
  #lines;

  constructor(program, args) {
    this.#child = spawn(program, args.map(String), { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask(command) {
    this.#child.stdin.write(`${command}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#child.spawnargs.join(" ")} ended at "${command}"`);
    return JSON.parse(value);
  }

  close() {
    this.#child.stdin.end();
  }
}
