import { mount } from "svelte";
import { language } from "../lib/i18n/locale.svelte";
import "../lib/tokens.css";
import "./alliance.css";
import Alliance from "./Alliance.svelte";
import { t } from "./i18n/words.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("the page has no place for its parts");
mount(Alliance, { target });

$effect.root(() => {
  $effect(() => {
    document.documentElement.lang = language.current === "zh" ? "zh-CN" : "en";
    document.title = `${t("title")} · telehand`;
  });
});
