import { mount } from "svelte";
import { language, t } from "../lib/i18n/locale.svelte";
import { SiteLine } from "../lib/ortho/site.svelte";
import "../lib/tokens.css";
import Site from "./Site.svelte";

const line = new SiteLine();
const target = document.getElementById("app");
if (!target) throw new Error("the page has no place for its parts");
mount(Site, { target, props: { line } });
line.start();

$effect.root(() => {
  $effect(() => {
    document.documentElement.lang = language.current === "zh" ? "zh-CN" : "en";
    document.title = `${t("title_site")} · telehand`;
  });
});
