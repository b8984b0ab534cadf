/** Where the page is: `#/cases/c-17?tab=consent`. The address can be kept, sent and gone back to. */

export interface Place {
  view: string;
  id: string | null;
  query: URLSearchParams;
}

class Router {
  place = $state.raw<Place>(read());

  constructor() {
    addEventListener("hashchange", () => (this.place = read()));
  }

  go(view: string, id?: string | null, query?: Record<string, string | null | undefined>): void {
    location.hash = href(view, id, query);
  }

  /** Changes the question of the present place without a step in the history. */
  ask(more: Record<string, string | null>): void {
    const query = new URLSearchParams(this.place.query);
    for (const [key, value] of Object.entries(more))
      if (value === null || value === "") query.delete(key);
      else query.set(key, value);
    const text = href(this.place.view, this.place.id, Object.fromEntries(query));
    history.replaceState(null, "", text);
    this.place = read();
  }
}

export function href(
  view: string,
  id?: string | null,
  query?: Record<string, string | null | undefined>,
): string {
  const asked = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) if (value) asked.set(key, value);
  const tail = asked.size ? `?${asked}` : "";
  return `#/${view}${id ? `/${encodeURIComponent(id)}` : ""}${tail}`;
}

function read(): Place {
  const [path = "", question = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [view = "", id] = path.split("/");
  return {
    view: view || "map",
    id: id ? safely(id) : null,
    query: new URLSearchParams(question),
  };
}

function safely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const router = new Router();
