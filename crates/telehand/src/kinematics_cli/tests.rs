use super::*;
use clap::Parser;

#[derive(Debug, Parser)]
enum Cli {
    Fk(FkArgs),
    Ik(IkArgs),
    Params(ParamsArgs),
}

fn parse(line: &str) -> Result<Cli, String> {
    let words = std::iter::once("arm").chain(line.split(' '));
    Cli::try_parse_from(words).map_err(|e| e.to_string())
}

fn model(robot: Robot) -> Model {
    Model::new(robot, Tool::LARGE_NEEDLE_DRIVER_400006)
}

#[test]
fn m_070_joints_may_begin_with_a_minus() {
    let Ok(Cli::Fk(args)) = parse("fk --robot psm --joints -0.7,0.5,0.2,1,-0.6,0.9") else {
        panic!("not parsed")
    };
    assert_eq!(args.joints, Some(Numbers(vec![-0.7, 0.5, 0.2, 1.0, -0.6, 0.9])));
    assert!(parse("fk --robot ur5e --stdin").is_ok());
    assert!(parse("params --json").is_ok());
    assert!(parse("ik --robot ecm --joints -0.1,0,0.1,0").is_ok());
}

#[test]
fn m_070_what_is_wrong_is_named() {
    let wrong = |line: &str| parse(line).unwrap_err();
    let robot = wrong("fk --robot panda --joints 1");
    assert!(robot.contains("panda") && robot.contains("ur10e"), "{robot}");
    assert!(wrong("fk --robot psm --joints 1,x").contains("\"x\" is not a number"));
    assert!(wrong("fk --robot psm --joints 1,inf").contains("not finite"));
    assert!(wrong("fk --robot psm").contains("--joints"));
    assert!(wrong("fk --robot psm --stdin --tool 1").contains("PROGRASP_400093"));
    assert!(wrong("ik --robot psm --position 1,2,3").contains("--rotation"));
    let count = model(Robot::Ecm).fk(&[0.0; 6]).unwrap_err().to_string();
    assert!(count.contains("4 joints") && count.contains("6 numbers"), "{count}");
}

#[test]
fn m_071_joints_out_of_range_are_computed_with_a_warning() {
    let inside = model(Robot::Psm).fk_json(&[0.0, 0.0, 0.12, 0.0, 0.0, 0.0]).unwrap();
    assert!(inside.get("warnings").is_none());
    let outside = model(Robot::Psm).fk_json(&[0.0, 0.0, 0.3, 0.0, 0.0, 0.0]).unwrap();
    let said = outside["warnings"][0].as_str().unwrap();
    assert!(said.contains("insertion 0.3") && said.contains("0.24"), "{said}");
    assert!((outside["position_m"][2].as_f64().unwrap() + 0.2935).abs() < 1e-12);
}

#[test]
fn m_071_each_line_gets_its_answer_and_a_bad_one_its_error() {
    let mut out = Vec::new();
    let lines = "0,0,0.12,0\n\n1,2\n0.1,0.1,0.1,0.1\n";
    let failed = fk_lines(&model(Robot::Ecm), lines.as_bytes(), &mut out).unwrap_err();
    assert!(failed.to_string().starts_with("1 lines"), "{failed}");
    let answers: Vec<Value> = String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[1]["line"], 3);
    assert_eq!(answers[2]["robot"], "ecm");
}

#[test]
fn m_072_random_poses_are_all_inverted() {
    for robot in [Robot::Psm, Robot::Ecm, Robot::Ur5e, Robot::Ur10e] {
        let found = model(robot).round_trips(500, 7).unwrap();
        assert_eq!(found["solved"], 500, "{found}");
        assert!(found["worst_m"].as_f64().unwrap() <= 1e-9, "{found}");
        assert!(found["worst_rad"].as_f64().unwrap() <= 1e-9, "{found}");
    }
}

#[test]
fn m_072_a_pose_there_and_back_and_a_matrix_that_is_none() {
    let arm = model(Robot::Ur5e);
    let joints = Numbers(vec![0.3, -1.2, 1.5, -1.8, -1.4, 0.7]);
    let found = arm.ik_json(&arm.fk(&joints.0).unwrap(), &joints).unwrap();
    assert!(found["solutions"].as_array().unwrap().len() >= 2);
    assert!((found["joints"][0].as_f64().unwrap() - 0.3).abs() < 1e-9);
    let bad = asked_pose(
        &Numbers(vec![0.0; 3]),
        &Numbers(vec![1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0]),
    );
    assert!(bad.unwrap_err().to_string().contains("not a rotation matrix"));
    let far = asked_pose(
        &Numbers(vec![9.0, 0.0, 0.0]),
        &Numbers(vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]),
    );
    let refused = arm.ik_json(&far.unwrap(), &joints).unwrap_err().to_string();
    assert!(refused.contains("no joints reach"), "{refused}");
}

#[test]
fn m_073_parameters_are_complete_for_every_robot() {
    for (robot, joints) in [(Robot::Psm, 6), (Robot::Ecm, 4), (Robot::Ur5e, 6), (Robot::Ur10e, 6)] {
        let arm = model(robot);
        let params = arm.params_json();
        assert_eq!(params["joints"].as_array().unwrap().len(), joints);
        assert!(arm.params_table().lines().count() > joints);
    }
}
