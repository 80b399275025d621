namespace PolicyDaemon.EndToEnd.Stories.Discovery;

/// <summary>Every row of the truth table of policydaemon(7), with the right servers, and with somebody else in their place.</summary>
internal static class SituationBook
{
    private const string Enforce = "enforce";
    private const string Verified = "sent Verified";
    private const string Trusted = "sent Trusted";
    private const string Untrusted = "sent Untrusted";
    private const string Plain = "sent plain";
    private const string Deferred = "deferred";
    private const string Bounced = "bounced";

    public static IReadOnlyList<Situation> Rows() =>
    [
        new("1", "S", "Tg10 Tg20", "dane-only", Verified),
        new("1", "S", "Tb10 Tp20", "dane-only", Deferred),
        new("1", "0", "Tg0", "dane-only", Verified),
        new("1", "S", "Tg10", "dane-only", Verified) { Mode = Enforce },
        new("1", "S", "Tc10", "dane-only", Deferred) { Mode = Enforce }, // an authority was deceived
        new("1", "S", "Tg10", "dane-only", Verified) { Mode = Enforce, Pattern = "mx.elsewhere.{0}" },
        new("1", "S", "X-5 Tg10", "dane-only", Verified),

        new("2", "S", "Ng10", "not found", Trusted),
        new("2", "S", "Np10", "not found", Plain),
        new("2", "S", "Ng10", "secure", Verified) { Mode = Enforce },
        new("2", "S", "Nb10 Np20", "secure", Deferred) { Mode = Enforce },

        new("3", "S", "Tg10 Ng20", "dane", Verified),
        new("3", "S", "Tb10 Np20", "dane", Plain), // what dane is worth where not every host has TLSA records
        new("3", "S", "Tg10 Ng20", "dane-only", Verified) { Mode = Enforce },
        new("3", "S", "Tb10 Np20", "dane-only", Deferred) { Mode = Enforce },

        new("4", "S", "Np10 Tg20", "dane", Plain),
        new("4", "S", "Np10 Tg20", "secure", Verified) { Mode = Enforce },
        new("4", "S", "Np10 Tb20", "secure", Deferred) { Mode = Enforce },

        new("5", "S", "Ug10", "dane", Trusted),
        new("5", "S", "Up10", "dane", Deferred), // Postfix encrypts at least where TLSA records are unusable
        new("5", "S", "Ug10", "secure", Verified) { Mode = Enforce },
        new("5", "S", "Ub10", "secure", Deferred) { Mode = Enforce },

        new("6", "S", "Tg10 Eg20", "dane", Verified),
        new("6", "S", "Eb10 Tg20", "dane", Verified), // Postfix passes over the first
        new("6", "S", "Eg10", "dane", Deferred),
        new("6", "S", "Tg10 Eb20", "dane-only", Verified) { Mode = Enforce },
        new("6", "S", "Tb10 Eg20", "dane-only", Deferred) { Mode = Enforce },

        // Postfix 3.7.0 to 3.7.12 does nothing about TLSA records behind unsigned MX records at a table's level dane.
        new("7", "W", "Tg10", "dane", Trusted),
        new("7", "W", "Tb10", "dane", Deferred) { OldMail = Untrusted },
        new("7", "W", "Tp10", "dane", Deferred) { OldMail = Plain },
        new("7", "W", "Tg10", "secure", Verified) { Mode = Enforce },
        new("7", "W", "Tb10 Tp20", "secure", Deferred) { Mode = Enforce },

        new("8", "W", "Ib10", "not found", Untrusted),
        new("8", "W", "Ig10", "secure", Verified) { Mode = Enforce },
        new("8", "W", "Ib10 Ip20", "secure", Deferred) { Mode = Enforce },
        new("8", "W", "Ig10", "secure", Verified) { Mode = Enforce, Pattern = "*.{0}" },
        new("8", "W", "ib10", "not found", Untrusted),
        new("8", "W", "ig10", "secure", Verified) { Mode = Enforce },
        new("8", "W", "Ib10", "not found", Untrusted) { Mode = "testing" },
        new("8", "W", "Ib10", "not found", Untrusted) { Mode = "none" },

        new("10", "D", "", "not found", Bounced),
        new("10", "Z", "", "not found", Bounced),

        new("11", "S", "X-10", "not found", Bounced),
        new("11", "W", "x-10", "dane", Deferred),
        new("11", "W", "x-10", "secure", Deferred) { Mode = Enforce },

        new("8", "W", "Lg10", "not found", Trusted), // row 12
        new("14", "W", "Lg10", "secure", Deferred) { Mode = Enforce, Pattern = "mx.{0}" }, // row 12

        new("1", "C", "Tg10", "dane-only", Verified), // row 13
        new("7", "c", "Tb10", "dane", Deferred) { OldMail = Untrusted }, // row 13
        new("7", "c", "Tg10", "secure", Verified) { Mode = Enforce }, // row 13

        new("14", "W", "Ig10", "secure", Deferred) { Mode = Enforce, Pattern = "mx.elsewhere.{0}" },

        new("host", "B", "Tg10", "dane-only", Verified),
        new("host", "B", "Tb10", "dane-only", Deferred),
        new("host", "B", "Ng10", "not found", Trusted),
    ];

    /// <summary>The rows that are answered otherwise where main.cf says encrypt.</summary>
    public static IReadOnlyList<Situation> RowsAtEncrypt() =>
    [
        new("3", "S", "Tg10 Ng20", "dane-only", Verified),
        new("3", "S", "Tb10 Ng20", "dane-only", Deferred),
        new("4", "S", "Np10 Tg20", "not found", Trusted),
        new("5", "S", "Ub10", "not found", Untrusted),
        new("5", "S", "Up10", "not found", Deferred),
        new("6", "S", "Eb10 Tg20", "dane-only", Verified),
        new("6", "S", "Eg10 Np20", "dane-only", Deferred),
        new("7", "W", "Tb10", "not found", Untrusted),
        new("7", "W", "Tp10", "not found", Deferred),
        new("8", "W", "Ip10", "not found", Deferred),
        new("8", "W", "Ib10", "secure", Deferred) { Mode = Enforce },
        new("11", "W", "x-10", "not found", Deferred),
    ];
}
