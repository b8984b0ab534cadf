/** What a process says of a refusal. */

/** A refusal's sentence without its number and its remedy, which stand beside it. */
export const sentence = (text: string, clears: string): string =>
  text
    .replace(/^O-\d{3}: /, "")
    .replace(clears || "\u0000", "")
    .replace(/ The robot holds\.\s*$/, "")
    .trim();
