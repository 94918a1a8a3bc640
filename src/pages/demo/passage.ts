/** A passage as the server hands it out. */
export interface Passage {
  readonly id: string;
  readonly package: string;
  readonly title: string;
  readonly text: string;
}

/** What is embedded of it: its heading counts as part of it. */
export const textOf = ({ title, text }: Pick<Passage, "title" | "text">): string => `${title} ${text}`;
