#[canonlog::on_error(return = items)]
fn parse(items: Vec<u64>) -> Vec<u64> {
    drop(items);
    vec!["1".parse()?]
}

fn main() {}
