//! The type numbers that code names.

macro_rules! kinds {
    ($($name:ident = $number:literal, $rfc:literal;)*) => {
        $(
            #[doc = concat!("Type ", stringify!($number), ", RFC ", $rfc, ".")]
            pub const $name: u8 = $number;
        )*
    };
}

kinds! {
    USER_NAME = 1, "2865";
    USER_PASSWORD = 2, "2865";
    CHAP_PASSWORD = 3, "2865";
    NAS_IP_ADDRESS = 4, "2865";
    NAS_PORT = 5, "2865";
    SERVICE_TYPE = 6, "2865";
    FRAMED_PROTOCOL = 7, "2865";
    FRAMED_IP_ADDRESS = 8, "2865";
    REPLY_MESSAGE = 18, "2865";
    STATE = 24, "2865";
    CLASS = 25, "2865";
    VENDOR_SPECIFIC = 26, "2865";
    CALLED_STATION_ID = 30, "2865";
    CALLING_STATION_ID = 31, "2865";
    NAS_IDENTIFIER = 32, "2865";
    PROXY_STATE = 33, "2865";
    ACCT_STATUS_TYPE = 40, "2866";
    ACCT_DELAY_TIME = 41, "2866";
    ACCT_INPUT_OCTETS = 42, "2866";
    ACCT_OUTPUT_OCTETS = 43, "2866";
    ACCT_SESSION_ID = 44, "2866";
    ACCT_AUTHENTIC = 45, "2866";
    ACCT_SESSION_TIME = 46, "2866";
    ACCT_INPUT_PACKETS = 47, "2866";
    ACCT_OUTPUT_PACKETS = 48, "2866";
    ACCT_TERMINATE_CAUSE = 49, "2866";
    ACCT_MULTI_SESSION_ID = 50, "2866";
    ACCT_LINK_COUNT = 51, "2866";
    ACCT_INPUT_GIGAWORDS = 52, "2869";
    ACCT_OUTPUT_GIGAWORDS = 53, "2869";
    EVENT_TIMESTAMP = 55, "2869";
    CHAP_CHALLENGE = 60, "2865";
    NAS_PORT_TYPE = 61, "2865";
    TUNNEL_TYPE = 64, "2868";
    TUNNEL_MEDIUM_TYPE = 65, "2868";
    TUNNEL_CLIENT_ENDPOINT = 66, "2868";
    TUNNEL_SERVER_ENDPOINT = 67, "2868";
    ACCT_TUNNEL_CONNECTION = 68, "2867";
    TUNNEL_PASSWORD = 69, "2868";
    CONNECT_INFO = 77, "2869";
    EAP_MESSAGE = 79, "2869";
    MESSAGE_AUTHENTICATOR = 80, "2869";
    TUNNEL_ASSIGNMENT_ID = 82, "2868";
    NAS_PORT_ID = 87, "2869";
    CHARGEABLE_USER_IDENTITY = 89, "4372";
    NAS_IPV6_ADDRESS = 95, "3162";
    FRAMED_IPV6_PREFIX = 97, "3162";
    DELEGATED_IPV6_PREFIX = 123, "4818";
    FRAMED_IPV6_ADDRESS = 168, "6911";
}
