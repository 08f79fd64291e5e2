//! The pages are built into the binary: when they were built anew, so is it.

fn main() {
    println!("cargo::rerun-if-changed=maps/console/dist");
}
