#[canonlog::on_error(return = std::process::exit(1), panics)]
fn serve() -> ! {
    loop {}
}

fn main() {}
