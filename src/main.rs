//! temporary driver
use secateur::*;
fn main(){
 rayon::ThreadPoolBuilder::new().stack_size(64<<20).build_global().unwrap();
 let dir=std::path::PathBuf::from(std::env::args().nth(1).unwrap());
 let env=workspace::Environment{home:None,current_dir:dir.clone(),system_config_dir:None};
 let t=std::time::Instant::now();
 let ws=workspace::Workspace::open(&dir,&env,&workspace::Overrides::default()).map_err(|e|e.to_string()).unwrap();
 eprintln!("open {:?}",t.elapsed());
 let e=buck::evaluate(&ws,&ws.cells,&progress::Silent).map_err(|e|e.to_string()).unwrap();
 eprintln!("eval {:?}",t.elapsed());
 let mut kinds=std::collections::BTreeMap::<String,usize>::new();
 for p in &e.packages{ for t in &p.targets{ *kinds.entry(t.kind.to_string()).or_default()+=1; } }
 let n:usize=e.packages.iter().map(|p|p.targets.len()).sum();
 println!("packages {} failed {} untraced {:?} targets {}",e.packages.len(),e.packages.iter().filter(|p|p.failed).count(),e.packages.iter().filter(|p|p.untraced).map(|p|p.id.to_string()).collect::<Vec<_>>(),n);
 println!("{kinds:?}");
 let (mut d,mut l)=(0,0);
 for p in &e.packages{ for t in &p.targets{ if t.kind.starts_with("python") || t.kind.starts_with("?python"){ for x in &t.deps{ if &*x.attr=="deps"{ d+=1; if x.literal.is_some(){l+=1}}}}}}
 println!("python deps {d} with literal {l}");
 for p in &e.problems{ println!("{}:{} {} {}",p.path,p.line,p.kind.as_str(),p.message); }
 if let Some(n)=std::env::args().nth(2){ for p in &e.packages{ for t in &p.targets{ if t.label.to_string().contains(&n){ println!("{t:#?}"); }}}}
 if std::env::var_os("RULES").is_some(){ for n in e.rules.names(){ let s=e.rules.get(n).unwrap(); print!("{n}"); for (a,k) in s.sorted(){ print!(" {a}={}",k.to_text()); } println!(); } }
}
