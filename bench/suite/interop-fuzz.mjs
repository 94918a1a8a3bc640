// Damaged files of other libraries, 50,000 of each format where CI has 2,000: what tests/interop says of damage.
import { spawnSync } from "node:child_process";

/** Times what CI does. */
const TIMES = 25;
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--config", "tests/vitest.config.ts", "--project", "published"];
const env = { ...process.env, CI: "true", VICINAL_TIMES: String(TIMES) };
const { status } = spawnSync(process.execPath, [...vitest, "tests/interop", "-t", "damage", "--testTimeout=3600000"], {
  env,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
