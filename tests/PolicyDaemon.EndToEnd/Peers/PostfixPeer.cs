using System.Net;
using System.Text.RegularExpressions;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Peers;

/// <summary>Postfix' smtpd, with or without postscreen in front of it.</summary>
public sealed partial class PostfixPeer(Laboratory lab, PeerProgram program, PeerSetup setup, IPAddress address) : Peer(lab, program, setup, address)
{
    private readonly bool _hasPostscreen = program == PeerProgram.Postscreen;
    private PostfixInstance? _postfix;

    public override IReadOnlyList<string> Lines => _postfix?.Log.Lines ?? [];

    // postscreen(8) keeps a client to itself as long as the deep tests last, which end at RCPT.
    protected override PeerLog Log => _hasPostscreen
        ? new(EndedAtPostscreen, EndedAtPostscreen, Complains, null)
        : new(EndedAtSmtpd, QuitAtSmtpd, Complains, EhloAtSmtpd);

    protected override async Task BeginAsync()
    {
        _postfix = new PostfixInstance(Lab.Sandbox, Path.Combine("peers", Host), (command, _) => Lab.Sandbox.RunOnMxAsync(command));
        await WriteAsync("chain.pem", string.Concat(Certificates.Select(certificate => certificate.Pem)));
        var versions = Setup switch
        {
            PeerSetup.OneEcdsaTls12 => ">=TLSv1.2, <=TLSv1.2",
            PeerSetup.OneEcdsaTls13 => ">=TLSv1.3",
            _ => ">=TLSv1.2",
        };
        await _postfix.StartAsync($$"""
            myhostname = {{Host}}
            inet_interfaces = all
            smtpd_peername_lookup = no
            smtpd_delay_reject = no
            smtpd_helo_restrictions = check_helo_access static:{INFO said EHLO}
            smtpd_tls_security_level = {{(Certificates.Count == 0 ? "none" : "may")}}
            smtpd_tls_chain_files = {{Folder}}/chain.pem
            smtpd_tls_protocols = {{versions}}
            smtpd_tls_loglevel = 1
            postscreen_greet_wait = 1s
            postscreen_greet_banner = wait
            postscreen_greet_action = enforce
            postscreen_pipelining_enable = yes
            postscreen_non_smtp_command_enable = yes
            postscreen_bare_newline_enable = yes

            """, SendingPostfix.CommonServices + (_hasPostscreen
            ? $"{Address}:25 inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\ndnsblog unix - - n - 0 dnsblog\n"
            : $"{Address}:25 inet n - n - - smtpd\n"));
    }

    [GeneratedRegex(@"/smtpd\[\d+\]: disconnect from ")]
    private static partial Regex EndedAtSmtpd { get; }

    [GeneratedRegex(@"/smtpd\[\d+\]: disconnect from .* quit=1 ")]
    private static partial Regex QuitAtSmtpd { get; }

    // Without QUIT it is HANGUP, and a complaint.
    [GeneratedRegex(@"/postscreen\[\d+\]: DISCONNECT ")]
    private static partial Regex EndedAtPostscreen { get; }

    [GeneratedRegex(@"warning|error|lost connection|timeout|improper|HANGUP|PREGREET|PIPELINING|NON-SMTP|BARE NEWLINE|COMMAND ")]
    private static partial Regex Complains { get; }

    [GeneratedRegex(@"said EHLO; proto=E?SMTP helo=<(.*)>")]
    private static partial Regex EhloAtSmtpd { get; }
}
