/** A file or value that cannot be used: its message is the whole report, and the exit code is 1. */
export class InputError extends Error {}

/** A command line that makes no sense: reported like the argument parser's own errors, exit code 2. */
export class UsageError extends Error {}
