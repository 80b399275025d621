using PolicyDaemon.Administration.Postfix;

namespace PolicyDaemon.Administration.Doctor.OwnSide;

/// <summary>Parameters of main.cf that Postfix replaced by others and will drop, or has dropped: with it goes what they asked for.</summary>
public static class ObsoleteParameters
{
    private const string Name = "obsolete";

    // RELEASE_NOTES 3.9 to 3.11 and postconf(1), where it warns of "support for parameter".
    private static readonly string[] Sides = ["smtpd", "smtp", "lmtp", "postscreen", "tlsproxy", "tlsproxy_client"];
    private static readonly string[] PerSite = ["smtp_tls_per_site", "lmtp_tls_per_site", "tlsproxy_client_per_site"];

    private static readonly (string Parameter, string Instead)[] Dropped =
    [
        ("smtpd_tls_eecdh_grade", "tls_eecdh_auto_curves, whose default does"),
        ("smtpd_tls_dh512_param_file", "nothing: no cipher of it is left"),
        ("smtpd_tls_dh1024_param_file", "nothing: the groups that OpenSSL chooses"),
        ("smtpd_tls_cipherlist", "smtpd_tls_mandatory_ciphers"),
        ("smtp_tls_cipherlist", "smtp_tls_mandatory_ciphers"),
        ("smtp_tls_enforce_peername", "smtp_tls_security_level = verify"),
        ("lmtp_tls_enforce_peername", "lmtp_tls_security_level = verify"),
        ("tls_legacy_public_key_fingerprints", "nothing: it has no effect since 3.9"),
    ];

    public static IEnumerable<DoctorFinding> Judge(PostfixConfiguration postfix)
    {
        ArgumentNullException.ThrowIfNull(postfix);
        var found = false;
        foreach (var finding in Sides.SelectMany(side => OfSide(postfix, side)).Concat(OfPerSite(postfix)).Concat(OfDropped(postfix)))
        {
            found = true;
            yield return finding;
        }

        if (!found)
            yield return DoctorFinding.Ok(Name, "no obsolete parameter of TLS is set in main.cf");
    }

    /// <summary>The two switches that a security level replaced: what they ask for becomes the level, unless there is one, which has counted alone all along.</summary>
    private static IEnumerable<DoctorFinding> OfSide(PostfixConfiguration postfix, string side)
    {
        var level = side == "tlsproxy_client" ? "tlsproxy_client_security_level" : $"{side}_tls_security_level";
        var (use, enforce) = ($"{side}_use_tls", $"{side}_enforce_tls");
        var set = new[] { use, enforce }.Where(postfix.Explicit.Contains).ToList();
        if (set.Count == 0)
            yield break;
        var (current, asked) = (postfix[level], Asked(postfix, side, use, enforce));
        var counts = current.Length > 0 || asked is null;
        string[] remedy = [.. counts ? [] : (string[])[postfix.SetCommand(level, asked!).Text], .. set.Select(postfix.RemoveCommand), postfix.ReloadCommand];
        yield return DoctorFinding.Warning(
            Name, $"{string.Join(" and ", set.Select(parameter => $"{parameter} = {postfix[parameter]}"))} {(set.Count == 1 ? "is" : "are")} obsolete: "
            + (current.Length > 0 ? $"{level} = {current} counts, and a newer Postfix does not know {(set.Count == 1 ? "it" : "them")}"
                : asked is null ? $"{level} says it now" : $"write {level} = {asked}; where a newer Postfix does not know {(set.Count == 1 ? "it" : "them")}, TLS would be off"), remedy);
    }

    /// <summary>The level that the switches stand for (postconf(5), smtp_enforce_tls and smtp_tls_enforce_peername); null where they ask for none.</summary>
    private static string? Asked(PostfixConfiguration postfix, string side, string use, string enforce)
    {
        if (postfix.IsYes(enforce))
            return side is "smtp" or "lmtp" && !postfix[$"{side}_tls_enforce_peername"].Equals("no", StringComparison.OrdinalIgnoreCase) ? "verify" : "encrypt";
        return postfix.IsYes(use) ? "may" : null;
    }

    // Taken out before its rows are entries, mail would go with less than it asked for: that command is left to the person.
    private static IEnumerable<DoctorFinding> OfPerSite(PostfixConfiguration postfix) => PerSite
        .Where(parameter => postfix.Explicit.Contains(parameter) && postfix[parameter].Length > 0)
        .Select(parameter => DoctorFinding.Warning(
            Name, $"{parameter} = {postfix[parameter]} is obsolete: rows of it are entries here (NONE is none, MAY may, MUST secure, MUST_NOPEERMATCH encrypt); add them, then take it out",
            "policyctl domain add --help"));

    private static IEnumerable<DoctorFinding> OfDropped(PostfixConfiguration postfix) => Dropped
        .Where(row => postfix.Explicit.Contains(row.Parameter))
        .Select(row => DoctorFinding.Warning(
            Name, $"{row.Parameter} = {postfix[row.Parameter]} is obsolete; instead: {row.Instead}", postfix.RemoveCommand(row.Parameter), postfix.ReloadCommand));
}
