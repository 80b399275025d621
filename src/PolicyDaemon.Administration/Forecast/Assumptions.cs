using System.Globalization;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>The settings of main.cf that a forecast rests on: those of <c>[postfix]</c>, and what is taken for granted.</summary>
public static class Assumptions
{
    public static IEnumerable<string> Of(CheckResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var postfix = result.Settings.Postfix;
        yield return string.Create(CultureInfo.InvariantCulture, $"smtp_mx_address_limit = {postfix.MxAddressLimit}");
        yield return $"smtp_tls_protocols = {postfix.Protocols}";
        yield return $"smtp_tls_mandatory_protocols = {postfix.MandatoryProtocols}";
        yield return $"smtp_tls_dane_insecure_mx_policy = {postfix.DaneInsecureMxPolicy.Name()}";
        yield return $"smtp_tls_CAfile or smtp_tls_CApath with the authorities of {(result.Settings.Probe.CaFile.Text is { Length: > 0 } file ? file : "the system")} (ca_file)";
        yield return "smtp_dns_support_level = dnssec for dane and dane-only";
        yield return "Postfix 3.7 or newer over OpenSSL 3, all else as it comes";
    }
}
