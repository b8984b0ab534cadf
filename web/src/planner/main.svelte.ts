import { mount } from "svelte";
import { language, t } from "../lib/i18n/locale.svelte";
import { PlannerLine } from "../lib/ortho/planner.svelte";
import "../lib/tokens.css";
import Planner from "./Planner.svelte";

const line = new PlannerLine();
const target = document.getElementById("app");
if (!target) throw new Error("the page has no place for its parts");
mount(Planner, { target, props: { line } });
line.start();

$effect.root(() => {
  $effect(() => {
    document.documentElement.lang = language.current === "zh" ? "zh-CN" : "en";
    document.title = `${t("title_planner")} · telehand`;
  });
});
