/**
 * What the alliance says in English, in Chinese: what helps, and what was looked at. The sentences
 * are those of crates/alliance; one that is not here is shown as it came.
 */

import { language } from "../../lib/i18n/locale.svelte";
import { dateTime, zoneName } from "../format";

const HELPS: Record<string, string> = {
  "A colleague at the patient's site signs.": "由患者所在医院的另一位同事签署。",
  "Add it to the catalogue.": "将其加入术式目录。",
  "Add the evidence, signed by somebody else, and decide again.":
    "补充由他人签署的证据后重新决定。",
  "Apply again: the committee grants anew.": "重新申请，由委员会重新授予。",
  "Ask a colleague with the role.": "请具有该角色的同事操作。",
  "Ask again with a new name.": "换用新编号重试。",
  "Ask for a window that outlives the planned end by a day.": "时间窗须比计划结束晚一天以上。",
  "Ask somebody who has the role.": "请具有该角色的人操作。",
  "Ask the committee of the own organisation.": "请本机构委员会处理。",
  "Ask the committee of the surgeon's hospital.": "请医生所在医院的委员会处理。",
  "Ask the committee to prolong the privilege.": "请委员会延长权限。",
  "Ask the operator to renew or reinstate the membership.": "请运营方续期或恢复成员资格。",
  "Ask the organisation that it belongs to.": "请其所属机构处理。",
  "Ask the patient, and enter the consent.": "征得患者同意并登记。",
  "Check the name in the list.": "请在列表中核对名称。",
  "Check the path again.": "重新检查线路。",
  "Choose a console that is ready.": "选择可用的主操作台。",
  "Choose a console.": "选择主操作台。",
  "Choose a robot that is ready at this site.": "选择该医院可用的机器人。",
  "Choose a robot.": "选择机器人。",
  "Choose a site that is open.": "选择开放的医院。",
  "Choose another time or another one.": "选择其他时间或其他资源。",
  "Choose another time or device.": "选择其他时间或设备。",
  "Choose the room in which the robot stands.": "选择机器人所在的手术室。",
  "Correct the name and ask again.": "更正名称后重试。",
  "Correct the text and ask again.": "更正文字后重试。",
  "Correct the value and ask again.": "更正数值后重试。",
  "Declare the combination after testing it, or choose another console or firmware.":
    "测试后声明此组合兼容，或更换主操作台或固件。",
  "Do a proctored case and enter it as evidence.": "在监督下完成一例并登记为证据。",
  "Do and record simulator drills.": "完成并登记模拟演练。",
  "Explain the valid form in one of its languages.": "用有效版本的语言之一讲解。",
  "Explain the valid form to the patient and enter the signed consent.":
    "向患者讲解有效版本并登记签署的同意书。",
  "File the licence for this site.": "为该医院办理执业备案。",
  "Have it signed by a proctor or the committee.": "由监督医生或委员会签署。",
  "Have the robot checked.": "对机器人进行检查。",
  "Hold a live drill and record it.": "进行一次实地演练并登记。",
  "Install the corrected firmware.": "安装修正后的固件。",
  "Leave out numbers of 8 and more digits and full dates; keep them in the site's record.":
    "去掉 8 位以上的数字和完整日期；此类内容留在医院。",
  "Let somebody at the patient speak for the local side.": "由患者身边的人代表现场发言。",
  "Let the site node mint the pseudonym.": "由医院节点生成代号。",
  "Let the surgeon speak for the remote side.": "由主刀医生代表远端发言。",
  "Log in with the passkey and ask again.": "用通行密钥登录后重试。",
  "Look it up and ask again.": "核对后重试。",
  "Name a path that is known.": "指定已登记的线路。",
  "Name a second path that cannot fail together with it.": "指定不会同时中断的第二条线路。",
  "Name a second, diverse path.": "指定相互独立的第二条线路。",
  "Name a stand-by surgeon of the patient's hospital.": "指定患者所在医院的待命医生。",
  "Name an open path between console and robot.": "指定主操作台与机器人之间开放的线路。",
  "Name somebody else, or ask the committee.": "更换人员，或请委员会处理。",
  "Name somebody who is known.": "指定已登记的人员。",
  "Name two people.": "指定两个不同的人。",
  "Pause again and tick every point.": "再次暂停并逐项核查。",
  "Pause, tick every point, enter it.": "暂停、逐项核查并登记。",
  "Plan longer buffers or a second eligible surgeon.": "增加缓冲时间或第二位合格医生。",
  "Put it before the committee.": "提交委员会。",
  "Read the thumbprint on the console and enter it.": "读取主操作台上的密钥指纹并填入。",
  "Renew or reinstate the membership.": "续期或恢复成员资格。",
  "Renew the certificate before the case.": "手术前更新证书。",
  "Replace the instrument.": "更换器械。",
  "Say why, and ask again.": "说明理由后重试。",
  "Send codes, ids and times here; what concerns the patient stays at the site.":
    "此处只填代码、编号和时间；患者信息留在医院。",
  "Set a template.": "设置权限模板。",
  "Sign an agreement of both hospitals that covers the procedure and the day.":
    "两家医院签署涵盖该术式和日期的协议。",
  "Somebody changed it meanwhile: read it again, look, and ask again.":
    "他人已更改：重新读取、查看后再试。",
  "Survey the path again, or put a better one first.": "重新测评线路，或将更好的线路放在首位。",
  "Survey the path again.": "重新测评线路。",
  "Take the steps in order; look at the case again.": "按步骤进行；请重新查看病例。",
  "The booked surgeon asks, or the booking is changed first.": "由预约的医生申请，或先更改预约。",
  "Use the booked console, or enter its new key.": "使用预约的主操作台，或登记其新密钥。",
  "Without consent to the treatment there is no case.": "没有治疗同意就没有病例。",
};

/** What was looked at: the pattern, and the sentence with `$1`, `$2` for what varies. */
const LOOKED_AT: [RegExp, string][] = [
  [/^the patient's hospital$/, "患者所在医院"],
  [/^the surgeon's hospital$/, "医生所在医院"],
  [/^the patient's site$/, "患者所在院区"],
  [/^the agreement of the two hospitals$/, "两家医院的协议"],
  [/^the stand-by surgeon's hospital$/, "待命医生所在医院"],
  [/^surgeon and stand-by surgeon$/, "主刀与待命医生"],
  [/^the (stand-by )?surgeon$/, "$w"],
  [/^the licence of the (stand-by )?surgeon at (.+)$/, "$w在 $2 的执业许可"],
  [/^the privilege of the (stand-by )?surgeon for (.+) on (.+)$/, "$w的权限：$2，$3"],
  [/^the end of the privilege of the (stand-by )?surgeon$/, "$w权限的到期日"],
  [/^the (stand-by )?surgeon (.+)$/, "$w $2"],
  [/^the patient's consent$/, "患者同意书"],
  [/^the team's pause before the first cut$/, "切皮前的暂停核查"],
  [/^the room$/, "手术室"],
  [/^the (robot|console)$/, "$1"],
  [/^the (robot|console) (.+)$/, "$1 $2"],
  [/^the periodic check of robot (.+)$/, "机器人 $1 的定期检查"],
  [/^uses left of instrument (.+)$/, "器械 $1 的剩余使用次数"],
  [/^service of the (robot|console)$/, "$1的维护时段"],
  [/^recalls of the (robot|console)$/, "$1的召回"],
  [/^console and robot$/, "主操作台与机器人"],
  [/^the procedure$/, "术式"],
  [/^the template$/, "权限模板"],
  [/^paths$/, "线路"],
  [/^path (\d+)$/, "线路 $1"],
  [/^path (\d+) \((.+)\)$/, "线路 $1（$2）"],
  [/^the qualification of path (\d+) \((.+)\)$/, "线路 $1 的测评（$2）"],
  [/^the date of path (\d+) \((.+)\)$/, "线路 $1 的有效期（$2）"],
  [/^the last check of path (\d+) \((.+)\)$/, "线路 $1 的最近检查（$2）"],
  [/^the certificates of path (\d+)$/, "线路 $1 的证书"],
  [/^the groups of the two paths$/, "两条线路的独立性分组"],
  [/^the version that was read$/, "所读版本"],
];
const WORDS: Record<string, string> = { robot: "机器人", console: "主操作台" };

const TIMES = /\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z/g;

/** A value or a limit: its times as the reader's clock shows them. */
export const readable = (text: string): string =>
  text.replace(TIMES, (time) => {
    const at = new Date(time);
    return Number.isNaN(at.getTime()) ? time : `${dateTime(at)} ${zoneName(undefined, at)}`;
  });

/** What helps, in the page's language. */
export const helps = (text: string): string =>
  language.current === "zh" ? (HELPS[text] ?? text) : text;

/** What was looked at, in the page's language. */
export function lookedAt(text: string): string {
  if (language.current !== "zh") return text;
  for (const [pattern, sentence] of LOOKED_AT) {
    const found = pattern.exec(text);
    if (!found) continue;
    return sentence
      .replace("$w", found[1]?.startsWith("stand-by") ? "待命医生" : "主刀医生")
      .replace(
        /\$(\d)/g,
        (_, i: string) => WORDS[found[Number(i)] ?? ""] ?? found[Number(i)] ?? "",
      );
  }
  return text;
}
