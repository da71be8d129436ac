use super::*;
#[test]
fn counts() {
    for (m, shape, n) in [("resnet20", [32,32,3], 10), ("2c2d", [28,28,1], 10), ("3c3d", [32,32,3], 10), ("vgg16", [32,32,3], 10), ("vgg11",[32,32,3],10),("all_cnn_c",[32,32,3],10),("lenet5",[28,28,1],10),("preact_resnet20",[32,32,3],10),("convnext",[32,32,3],10),("resnet56",[32,32,3],10)] {
        let net = model(&format!("\"{m}\""), &shape, n);
        let s = net.summary().unwrap();
        println!("{m} {} flops {}", s.n_params, s.flops);
        if m=="resnet20" { println!("{s}"); for s in listing(net.params()) { print!("{s}; ") } }
    }
    let b = model(r#"{"name":"resnet","shortcut":"B"}"#, &[32,32,3], 10);
    println!("{:?} {}", b.params().len(), b.summary().unwrap().flops);
    println!("{:?}", listing(b.params()));
}
