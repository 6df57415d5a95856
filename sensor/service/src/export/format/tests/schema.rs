//! Events against the published schema's required members, types and enumerations.

use serde_json::Value;

/// The published schema's classes and objects that are in use: see the file's first member.
pub(super) struct Schema(Value);

impl Schema {
    pub(super) fn read() -> Schema {
        Schema(serde_json::from_str(include_str!("../../../../tests/ocsf/schema.json")).unwrap())
    }

    /// What is wrong with an event.
    pub(super) fn faults(&self, event: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        let class = &self.0["classes"][event["class_uid"].to_string()];
        if class.is_null() {
            return vec!["no class".to_owned()];
        }
        let version = event["metadata"]["version"].as_str().unwrap_or("none");
        if !self.0["source"].as_str().unwrap().contains(&format!(", {version}, ")) {
            faults.push(format!("metadata.version: {version} is not that of the schema"));
        }
        if class["category_uid"] != event["category_uid"] {
            faults.push("category_uid".to_owned());
        }
        let type_uid =
            event["class_uid"].as_u64().unwrap_or(0) * 100 + event["activity_id"].as_u64().unwrap_or(0);
        if event["type_uid"] != type_uid {
            faults.push("type_uid".to_owned());
        }
        self.check(class, event, "", &mut faults);
        faults
    }

    fn check(&self, shape: &Value, object: &Value, path: &str, faults: &mut Vec<String>) {
        let attributes = shape["attributes"].as_object().unwrap();
        let Some(members) = object.as_object() else {
            return faults.push(format!("{path} is no object"));
        };
        for (name, value) in members {
            match attributes.get(name) {
                Some(attribute) => {
                    self.check_value(attribute, value, members, &format!("{path}.{name}"), faults)
                }
                None => faults.push(format!("{path}.{name} is unknown")),
            }
        }
        for (name, attribute) in attributes {
            let kind = attribute.as_str().or(attribute[0].as_str()).unwrap();
            if kind.ends_with('!') && !members.contains_key(name) {
                faults.push(format!("{path}.{name} is required"));
            }
        }
        for group in shape["at_least_one"].as_array().unwrap() {
            if !group.as_array().unwrap().iter().any(|name| members.contains_key(name.as_str().unwrap())) {
                faults.push(format!("{path} has none of {group}"));
            }
        }
    }

    fn check_value(
        &self,
        attribute: &Value,
        value: &Value,
        beside: &serde_json::Map<String, Value>,
        path: &str,
        faults: &mut Vec<String>,
    ) {
        let kind = attribute.as_str().or(attribute[0].as_str()).unwrap().trim_end_matches(['!', '+']);
        if let Some(values) = attribute[1].as_array() {
            if !values.contains(value) {
                faults.push(format!("{path} is {value}, none of the enumeration"));
            }
            let text = path.rsplit('.').next().unwrap().trim_end_matches("_id");
            if *value == 99 && !beside.contains_key(text) {
                faults.push(format!("{path} is 99 without its text"));
            }
        }
        if let Some(kind) = kind.strip_suffix("[]") {
            let Some(items) = value.as_array() else {
                return faults.push(format!("{path} is no array"));
            };
            items.iter().for_each(|item| self.check_value(&Value::from(kind), item, beside, path, faults));
            return;
        }
        let text = value.as_str();
        let is_sound = match kind {
            "integer_t" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            "long_t" => value.is_i64() || value.is_u64(),
            // Milliseconds of this century.
            "timestamp_t" => {
                value.as_u64().is_some_and(|ms| (946_684_800_000..4_102_444_800_000).contains(&ms))
            }
            "boolean_t" => value.is_boolean(),
            "float_t" => value.is_number(),
            "ip_t" => text.is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok()),
            "object" | "json_t" => value.is_object(),
            "url_t" => text.is_some_and(|text| text.starts_with("https://")),
            scalar if scalar.ends_with("_t") => text.is_some_and(|text| !text.is_empty()),
            object => {
                let shape = &self.0["objects"][object];
                assert!(!shape.is_null(), "{object} is not in the table");
                return self.check(shape, value, path, faults);
            }
        };
        if !is_sound {
            faults.push(format!("{path} is no {kind}: {value}"));
        }
    }
}
