using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Forecasts.Kinds;

/// <summary>Domains whose mail has nowhere to go, or whose records cannot be had.</summary>
internal static class Dns
{
    private const string Group = "dns";
    private const string LameServer = "ns." + LabDns.PlainZone + ".";
    private const string Failing = "the resolver fails";

    public static void Write(KindBook book)
    {
        var forge = book.Forge;
        var nullMx = book.Plain(Group, "null-mx");
        nullMx.Dns(nullMx.Domain, "MX", "0 .");
        var nullBeside = book.Plain(Group, "null-mx-beside-host");
        nullBeside.Dns(nullBeside.Domain, "MX", "0 .").Server(MailServer.With(forge.Good(nullBeside.Domain)));
        book.Plain(Group, "no-such-domain");
        var nothing = book.Plain(Group, "no-mx-no-address");
        nothing.Dns(nothing.Domain, "TXT", "\"nothing\"");
        var nowhere = book.Plain(Group, "mx-host-missing");
        nowhere.Mx("nowhere." + nowhere.Domain);
        var empty = book.Plain(Group, "mx-host-without-address");
        empty.Mx(empty.Host).Dns(empty.Host, "TXT", "\"nothing\"");
        var failing = book.Plain(Group, "domain-fails");
        failing.Dns(failing.Domain, "NS", LameServer).Untold(Failing);
        var hostFails = book.Plain(Group, "mx-host-fails");
        hostFails.Mx(hostFails.Host).Dns(hostFails.Host, "NS", LameServer).Untold(Failing);
        var oneFails = book.Plain(Group, "first-mx-host-fails");
        oneFails.Mx("gone." + oneFails.Domain, 5).Dns("gone." + oneFails.Domain, "NS", LameServer).Server(MailServer.With(forge.Good(oneFails.Domain)));
        var bogus = book.Bogus(Group, "bogus-domain");
        bogus.Mx(bogus.Host).Untold(Failing);
        var literal = book.Plain(Group, "bracket-missing");
        literal.Route($"[nowhere.{literal.Domain}]");
    }
}
