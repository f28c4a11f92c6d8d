//! The page that describes the API.

use serde_json::Value;

use super::Service;

#[test]
fn every_call_of_the_api_is_on_its_page_and_nothing_leads_out() {
    let service = Service::start(|_| {});
    let answer = service.get("/docs").send().unwrap();
    assert_eq!(answer.status(), 200);
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self'"));
    let page = answer.text().unwrap();
    let document: Value = service.get("/openapi.json").send().unwrap().json().unwrap();
    let mut calls = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, call) in item.as_object().unwrap() {
            let heading = format!("<code>{} {path}</code></h3>", method.to_uppercase());
            assert_eq!(page.matches(&heading).count(), 1, "{heading}");
            let summary = call["summary"].as_str().unwrap();
            assert!(page.contains(summary.trim_end_matches('.')), "{summary}");
            calls += 1;
        }
    }
    assert_eq!(page.matches("<pre>").count(), calls);
    for link in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        match link.strip_prefix('#') {
            Some(place) => assert!(page.contains(&format!("id=\"{place}\"")), "{link}"),
            None => assert!(link.starts_with('/') && !link.starts_with("//"), "{link}"),
        }
    }
}
