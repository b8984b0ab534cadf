import { mount } from "svelte";
import { language, t } from "../lib/i18n/locale.svelte";
import { Station } from "../lib/station.svelte";
import "../lib/tokens.css";
import Bedside from "./Bedside.svelte";

const station = new Station();
const target = document.getElementById("app");
if (!target) throw new Error("the page has no place for its parts");
mount(Bedside, { target, props: { station } });
station.start();

$effect.root(() => {
  $effect(() => {
    document.documentElement.lang = language.current === "zh" ? "zh-CN" : "en";
    document.title = `${t("title_bedside")} · telehand`;
  });
});
