/** The rules O-001 to O-018 (SAFETY.md) in a sentence, and what ends a refusal by them. */

import type { Locale } from ".";

export interface RuleWords {
  what: string;
  clears: string;
}

const w = (what: string, clears: string): RuleWords => ({ what, clears });

export const rules: Record<Locale, Record<string, RuleWords>> = {
  en: {
    "O-001": w(
      "The plan or the registration has changed: both signatures are void",
      "Both sign the plan in force.",
    ),
    "O-002": w(
      "Two signatures on one plan are missing",
      "Surgeon and local surgeon sign the same version.",
    ),
    "O-003": w("Somebody else has the robot", "Grab it again, or ask for it."),
    "O-004": w(
      "This is for another site, patient, plan or registration",
      "Look at what is shown, then try again.",
    ),
    "O-005": w("You hold another robot or another window", "Release that one, or hand it off."),
    "O-006": w("Both must hold: surgeon and local team", "Release, then press and hold again."),
    "O-007": w("The guide holds a wire", "The local team takes it out and reports the guide free."),
    "O-008": w("A wire is in and not verified", "Verify it, or hand off with read-back."),
    "O-009": w(
      "Hospital, patient, level and side are not confirmed since the switch",
      "Confirm all four.",
    ),
    "O-010": w(
      "The link was lost or the command came late",
      "Release; press again when the link is good.",
    ),
    "O-011": w(
      "The reference moved or is hidden",
      "Check the reference. If it moved: fix it, scan and register anew.",
    ),
    "O-012": w("The slices are too thick to register", "Scan with slices of at most 1.25 mm."),
    "O-013": w(
      "The series is incomplete, tilted or mixed",
      "Send the whole series again, or scan again.",
    ),
    "O-014": w(
      "The balls of the plate were not identified without doubt",
      "Scan again with the whole plate in the picture.",
    ),
    "O-015": w("The guide is not where the plan wants it", "Approach again; the tracker decides."),
    "O-016": w(
      "The new authority is not yet written down",
      "Wait; if it lasts, check the disk of the site.",
    ),
    "O-017": w("The two graders disagree", "Look at the screw and decide."),
    "O-018": w(
      "The predicted error at a screw is too large",
      "Register again with the plate nearer to the level.",
    ),
  },
  zh: {
    "O-001": w("方案或配准已改变：双方签名失效", "双方签署有效方案。"),
    "O-002": w("同一方案缺少双方签名", "医生和当地医生签署同一版本。"),
    "O-003": w("机器人由他人持有", "重新接管，或请求移交。"),
    "O-004": w("此操作针对另一医院、患者、方案或配准", "看清当前显示后重试。"),
    "O-005": w("您正持有另一台机器人或另一窗口", "先释放或移交。"),
    "O-006": w("医生和当地团队须同时按住", "松开后重新按住。"),
    "O-007": w("导向器中有导针", "当地团队取出导针并报告导向器已空。"),
    "O-008": w("导针在体内且未验证", "先验证，或复述后移交。"),
    "O-009": w("切换后尚未确认医院、患者、节段和侧别", "请确认全部四项。"),
    "O-010": w("链路中断或指令迟到", "松开；链路正常后再按。"),
    "O-011": w("参考架移位或被遮挡", "检查参考架。若已移位：重新固定、扫描并配准。"),
    "O-012": w("层厚过大，不能配准", "以不超过 1.25 mm 的层厚扫描。"),
    "O-013": w("影像序列不完整、倾斜或混杂", "重新发送完整序列，或重新扫描。"),
    "O-014": w("标记球未能无疑义地识别", "重新扫描，使整块标记板在视野内。"),
    "O-015": w("导向器未到达方案位置", "重新接近；以跟踪器为准。"),
    "O-016": w("新的授权尚未写入", "请等待；若持续，请检查当地磁盘。"),
    "O-017": w("两个评级器不一致", "查看该螺钉并判断。"),
    "O-018": w("螺钉处的预测误差过大", "使标记板更靠近该节段后重新配准。"),
  },
};
