using System.Globalization;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>What becomes of mail, as a part of a sentence: what happens, and what speaks against it.</summary>
public static class MailSentence
{
    private const int Shown = 3;

    /// <summary><c>delivered</c>, <c>deferred</c>, <c>delivered in plain text after a wait</c>.</summary>
    /// <param name="mail">The forecast.</param>
    /// <param name="at">A phrase to stand behind it, such as <c>at level secure</c>; empty for none.</param>
    public static string What(MailForecast mail, string at = "")
    {
        ArgumentNullException.ThrowIfNull(mail);
        if (mail is { IsUnknown: true, IsSent: false })
            return at.Length == 0 ? "cannot be told" : $"cannot be told {at}";
        var what = string.Join(" or ", mail.Results.Select(Name).Distinct());
        var chance = mail.Results.Length > 1 ? ", as chance decides which address is tried" : "";
        var wait = mail.IsAfterWait ? ", after a wait: the first attempt fails, a later one goes through" : "";
        return what + (at.Length == 0 ? "" : " " + at) + chance + wait;
    }

    /// <summary>The reasons of the first addresses that would not take the mail, and of those that are not even tried; empty where there are none.</summary>
    public static string Why(MailForecast mail)
    {
        ArgumentNullException.ThrowIfNull(mail);
        if (mail.IsOfNoFamily)
            return "there is no address of a family that Postfix uses (inet_protocols)";
        var refusals = Refusals.Of(mail).ToList();
        var parts = refusals.Take(Shown).Select(refusal => $"{refusal.Where} {refusal.Why}").ToList();
        if (refusals.Count > Shown)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"and {refusals.Count - Shown} more"));
        if (mail.NotTried > 0 && !mail.IsSurelySent)
        {
            parts.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"an attempt tries {mail.Addresses.Length - mail.NotTried} of {mail.Addresses.Length} addresses (smtp_mx_address_limit)"));
        }

        return string.Join("; ", parts);
    }

    /// <summary>Both, for a level.</summary>
    public static string Of(LevelForecast forecast)
    {
        ArgumentNullException.ThrowIfNull(forecast);
        var mail = forecast.Mail;
        var what = What(mail);
        if (mail.IsSurelySent && forecast.Verdict == DestinationVerdict.Degraded)
            what += ", but not through every address";
        var why = forecast.Verdict == DestinationVerdict.Ok ? "" : forecast.Why ?? Why(mail);
        return why.Length == 0 ? what : $"{what}: {why}";
    }

    private static string Name(MailResult result) => result switch
    {
        MailResult.SentOverTls => "delivered",
        MailResult.SentInPlainText => "delivered in plain text",
        MailResult.Deferred => "deferred",
        MailResult.Returned => "returned at once",
        _ => "something that cannot be told",
    };
}
