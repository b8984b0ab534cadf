/** Rows of a table that are drawn; an alliance may have 50,000 people. */
export const MOST = 300;
export const cut = <T>(list: T[]): T[] => (list.length > MOST ? list.slice(0, MOST) : list);
