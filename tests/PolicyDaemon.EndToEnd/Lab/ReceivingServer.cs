using System.Net;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>One mail server at an address of its own, on ports 25 and 587. Changes count from the next connection on.</summary>
public sealed class ReceivingServer
{
    private readonly ReceivingPostfix _postfix;
    private readonly int _number;

    internal ReceivingServer(ReceivingPostfix postfix, int number)
    {
        _postfix = postfix;
        _number = number;
    }

    public IPAddress IPv4 => LabNetwork.IPv4(_number);

    public IPAddress IPv6 => LabNetwork.IPv6(_number);

    /// <summary>Offers STARTTLS with these certificates: one, or one per kind of key.</summary>
    public Task PresentAsync(params LabCertificate[] certificates) => _postfix.PresentAsync(_number, certificates);

    /// <summary>Stops offering STARTTLS.</summary>
    public Task WithoutStartTlsAsync() => _postfix.PresentAsync(_number, []);

    /// <summary>Offers no newer TLS than 1.0, as an old server does; OpenSSL of today must be told that it may.</summary>
    public async Task OnlyTls10Async()
    {
        await _postfix.ConfigureAsync(_number, "ciphers", "ALL:@SECLEVEL=0");
        await _postfix.ConfigureAsync(_number, "protocols", ">=TLSv1, <=TLSv1");
    }

    /// <summary>Gives out tickets, whose keys outlive the certificate: a client that comes back with one sees no certificate.</summary>
    public Task WithTicketsAsync() => _postfix.ConfigureAsync(_number, "ssl_options", "");

    /// <summary>Takes both back.</summary>
    public async Task AsUsualAsync()
    {
        await _postfix.ConfigureAsync(_number, "ciphers", "HIGH:MEDIUM");
        await _postfix.ConfigureAsync(_number, "protocols", ">=TLSv1");
        await _postfix.ConfigureAsync(_number, "ssl_options", "NO_TICKET");
    }
}
