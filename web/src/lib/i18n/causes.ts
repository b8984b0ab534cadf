/** Every cause of the guard (crates/vocab/src/arm.rs) in words: what it is, what clears it. */

import type { Locale } from ".";

export interface CauseWords {
  what: string;
  clears: string;
}

type Table = Record<string, CauseWords>;

const again = "Release the pedal, then engage again.";
const en: Table = {
  "G-001": { what: "The arms are not granted to the surgeon.", clears: "The bedside grants them." },
  "G-002": { what: "The command belongs to a lease that has ended.", clears: again },
  "G-003": {
    what: "No valid command from the console.",
    clears: "When the link is steady again: release the pedal, then engage.",
  },
  "G-004": {
    what: "The bedside process is silent.",
    clears: "Restart `telehand bedside`; then release the pedal and engage again.",
  },
  "G-005": { what: "The bedside has taken the arms.", clears: "The bedside grants them again." },
  "G-006": {
    what: "Stop was pressed.",
    clears: "The bedside clears the stop, then enables and grants again.",
  },
  "G-007": { what: "This engagement has ended or was refused before.", clears: again },
  "G-008": { what: "The pedal was not released since the arms began to hold.", clears: again },
  "G-009": { what: "The motors are off.", clears: "The bedside enables them." },
  "G-010": {
    what: "The link has not been good for long enough.",
    clears: "Wait until it is steady for 1 s, release the pedal, then engage.",
  },
  "G-011": { what: "The surgeon asked to hold.", clears: again },
  "G-012": {
    what: "The commands arrive too late.",
    clears: "A faster path clears it; if it lasts, the bedside takes over.",
  },
  "G-013": {
    what: "A command is dated in the future.",
    clears: "It clears when the clocks of both sides agree again.",
  },
  "G-014": {
    what: "The clocks of the two sides are not known well enough.",
    clears: "It clears by itself once the link has measured them again.",
  },
  "G-015": { what: "A command came out of order.", clears: "The next command in order clears it." },
  "G-016": {
    what: "A command is malformed.",
    clears: "A sound command clears it; if it lasts, restart the console.",
  },
  "G-017": {
    what: "No session grant of the alliance was shown for this console and this robot.",
    clears: "The console shows a grant signed by hub and hospital; then the bedside grants again.",
  },
  "G-020": {
    what: "The hand has run ahead of the instrument.",
    clears: "Release the pedal and engage again; then move slower.",
  },
  "G-021": {
    what: "The instrument would move too fast.",
    clears: "Move slower, or lower the scale.",
  },
  "G-022": { what: "The instrument would turn too fast.", clears: "Turn slower." },
  "G-023": {
    what: "The instrument would leave its work space.",
    clears: "Move back towards the middle of the picture.",
  },
  "G-024": {
    what: "The arm cannot reach this pose.",
    clears: "Move back, or turn the wrist back.",
  },
  "G-030": { what: "A joint would leave its range.", clears: "Move back, or turn the wrist back." },
  "G-031": { what: "A joint would move too fast.", clears: "Move slower." },
  "G-032": { what: "A joint would accelerate too hard.", clears: "Move more gently." },
  "G-033": {
    what: "A joint is far from where it was sent.",
    clears: "See what blocks the arm; then release the pedal and engage again.",
  },
  "G-034": {
    what: "The arm does not follow its setpoint.",
    clears: "See what blocks the arm; then release the pedal and engage again.",
  },
  "G-035": {
    what: "A joint reading is missing or old.",
    clears: "Check the arm's encoders and cable; then engage again.",
  },
  "G-036": {
    what: "The contact force is too high.",
    clears: "The bedside frees the instrument; then release the pedal and engage again.",
  },
  "G-037": {
    what: "The instrument moves faster than it may.",
    clears: "Release the pedal and engage again; if it returns, take the arm out of use.",
  },
  "G-040": {
    what: "The surgeon's picture is too old.",
    clears: "When the picture is fresh again: release the pedal, then engage.",
  },
  "G-041": {
    what: "The surgeon's picture is frozen or damaged.",
    clears: "When the picture moves again: release the pedal, then engage.",
  },
  "G-042": {
    what: "Hand to eye takes too long.",
    clears: "A faster path clears it; if it lasts, the bedside takes over.",
  },
  "G-050": {
    what: "Too few paths carry the session.",
    clears: "Begin no critical step until the other path is back.",
  },
  "G-051": {
    what: "Somebody sends forged packets.",
    clears: "Find out who sends to this address; the session itself is intact.",
  },
  "G-052": {
    what: "Too many commands are lost.",
    clears: "Check the paths; then release the pedal and engage again.",
  },
  "G-053": {
    what: "The commands arrive too unevenly.",
    clears: "Check the paths; then release the pedal and engage again.",
  },
  "G-060": {
    what: "The control loop missed its time.",
    clears: "Take other work off that machine; then release the pedal and engage again.",
  },
  "G-061": {
    what: "The arm reports a fault.",
    clears: "Follow the arm's manual; motion stays blocked while it lasts.",
  },
  arm_silent: {
    what: "The arm process does not answer.",
    clears: "Use the stop button at the cart, then restart the process.",
  },
};

const zhAgain = "松开踏板，然后重新接合。";
const zh: Table = {
  "G-001": { what: "机械臂尚未授权给医生。", clears: "由床旁授权。" },
  "G-002": { what: "指令属于已经失效的授权。", clears: zhAgain },
  "G-003": { what: "收不到控制台的有效指令。", clears: "链路恢复稳定后：松开踏板，再接合。" },
  "G-004": {
    what: "床旁程序没有响应。",
    clears: "重启 `telehand bedside`，然后松开踏板并重新接合。",
  },
  "G-005": { what: "床旁已接管机械臂。", clears: "由床旁重新授权。" },
  "G-006": { what: "已按下急停。", clears: "由床旁解除急停，再上电并重新授权。" },
  "G-007": { what: "本次接合已结束或曾被拒绝。", clears: zhAgain },
  "G-008": { what: "进入保持后踏板一直没有松开。", clears: zhAgain },
  "G-009": { what: "电机已断电。", clears: "由床旁上电。" },
  "G-010": { what: "链路稳定的时间还不够长。", clears: "等链路稳定 1 秒，松开踏板，再接合。" },
  "G-011": { what: "医生要求保持。", clears: zhAgain },
  "G-012": { what: "指令到达太迟。", clears: "链路变快后消除；若持续，由床旁接管。" },
  "G-013": { what: "指令的时间戳在未来。", clears: "两侧时钟重新一致后消除。" },
  "G-014": { what: "两侧时钟的误差过大，无法判断时延。", clears: "链路重新测得时钟后自行消除。" },
  "G-015": { what: "指令乱序。", clears: "下一条顺序正确的指令到达后消除。" },
  "G-016": { what: "指令格式错误。", clears: "收到正确指令后消除；若持续，请重启控制台。" },
  "G-017": { what: "此控制台与此机器人尚未出示联盟的手术授权。", clears: "控制台出示由中心与医院共同签署的授权后，由床旁重新授予。" },
  "G-020": { what: "手的动作超前于器械。", clears: "松开踏板并重新接合，然后放慢动作。" },
  "G-021": { what: "器械将运动过快。", clears: "放慢动作，或减小运动比例。" },
  "G-022": { what: "器械将转动过快。", clears: "放慢转动。" },
  "G-023": { what: "器械将离开工作空间。", clears: "向画面中央移回。" },
  "G-024": { what: "机械臂无法到达该位姿。", clears: "移回，或将腕部转回。" },
  "G-030": { what: "关节将超出范围。", clears: "移回，或将腕部转回。" },
  "G-031": { what: "关节将运动过快。", clears: "放慢动作。" },
  "G-032": { what: "关节加速将过大。", clears: "动作更轻柔。" },
  "G-033": {
    what: "关节实际位置与指令相差过大。",
    clears: "查看机械臂是否受阻；然后松开踏板并重新接合。",
  },
  "G-034": {
    what: "机械臂没有跟上设定位置。",
    clears: "查看机械臂是否受阻；然后松开踏板并重新接合。",
  },
  "G-035": { what: "关节读数缺失或过旧。", clears: "检查编码器及电缆，然后重新接合。" },
  "G-036": { what: "接触力过大。", clears: "由床旁松开器械；然后松开踏板并重新接合。" },
  "G-037": {
    what: "器械运动超过允许速度。",
    clears: "松开踏板并重新接合；若再次出现，请停用该臂。",
  },
  "G-040": { what: "医生看到的画面过旧。", clears: "画面恢复实时后：松开踏板，再接合。" },
  "G-041": { what: "医生看到的画面冻结或损坏。", clears: "画面恢复后：松开踏板，再接合。" },
  "G-042": { what: "手到眼的总时延过长。", clears: "链路变快后消除；若持续，由床旁接管。" },
  "G-050": { what: "可用链路过少。", clears: "另一条链路恢复前，不要开始关键步骤。" },
  "G-051": { what: "有人在发送伪造的数据包。", clears: "查明是谁在向本地址发送；会话本身完好。" },
  "G-052": { what: "指令丢失过多。", clears: "检查链路；然后松开踏板并重新接合。" },
  "G-053": { what: "指令到达过于不均匀。", clears: "检查链路；然后松开踏板并重新接合。" },
  "G-060": { what: "控制循环超时。", clears: "移走该机器上的其他任务；然后松开踏板并重新接合。" },
  "G-061": { what: "机械臂报告故障。", clears: "按机械臂手册处理；故障期间禁止运动。" },
  arm_silent: { what: "机械臂进程没有应答。", clears: "请使用推车上的急停按钮，然后重启该进程。" },
};

export const causes: Record<Locale, Table> = { en, zh };
