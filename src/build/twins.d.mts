/** The text of a file of the repository. */
type Read = (file: string) => string;

export function checkTwins(read?: Read): void;
export function checkExports(folder: string, read?: Read): void;
